// A block of code: its language, a button that copies it, and colours once the highlighter is here.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { t } from "../words";
import { Icon } from "../parts/icons";

type Highlight = (language: string, text: string) => ComponentChildren;
let highlight: Highlight | null = null;
let coming: Promise<void> | null = null;

// Long code costs more colouring than it gains; code that grows past the second length is coloured
// once it rests.
const COLOURED_MAX = 60_000;
const COLOURED_GROWING_MAX = 1500;
const REST_MS = 250;

function useHighlighter(wanted: boolean) {
  const [, redraw] = useState(false);
  useEffect(() => {
    if (!wanted || highlight) return;
    coming ??= import("./highlight").then((module) => {
      highlight = module.highlight;
    });
    let here = true;
    void coming.then(() => here && redraw(true));
    return () => {
      here = false;
    };
  }, [wanted]);
  return highlight;
}

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text());
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="quiet small" onClick={copy} aria-label={copied ? t("copied") : label} title={label}>
      <Icon name={copied ? "check" : "copy"} size={16} />
    </button>
  );
}

/** The text, but of long ones the state of a quarter of a second ago while they change. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    if (text.length <= COLOURED_GROWING_MAX || text === rested) return;
    const timer = setTimeout(() => setRested(text), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return text.length <= COLOURED_GROWING_MAX ? text : rested;
}

export function Code({ text, language }: { text: string; language: string }) {
  const name = /^[\w+#.-]*/.exec(language)?.[0] ?? "";
  const wanted = name !== "" && text.length <= COLOURED_MAX;
  const colour = useHighlighter(wanted);
  const isResting = useRested(text) === text;
  const coloured = useMemo(
    () => (wanted && colour && isResting ? colour(name, text) : text),
    [wanted, colour, isResting, name, text],
  );
  return (
    <figure class="code">
      <figcaption>
        <span>{name}</span>
        <CopyButton text={() => text} label={t("copyCode")} />
      </figcaption>
      <pre tabIndex={0}>
        <code>{coloured}</code>
      </pre>
    </figure>
  );
}
