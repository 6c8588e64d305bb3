// The command palette: commands and conversations by their names.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../server/http";
import type { Conversation } from "../server/shapes";
import { conversations } from "../chat/conversations";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { navigate } from "../state/route";
import { t } from "../words";
import { commands, type Command } from "./commands";
import { paletteOpen } from "./open";

function fits(name: string, words: string): boolean {
  const low = name.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

function chatCommand(one: Conversation): Command {
  return { name: one.title || t("untitled"), icon: "edit", run: () => navigate(`c/${one.id}`) };
}

export function Palette() {
  const words = useSignal("");
  const at = useSignal(0);
  const found = useSignal<Conversation[]>([]);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const wanted = words.value.trim();
    at.value = 0;
    if (!wanted) {
      found.value = conversations.value.slice(0, 6);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      get<{ conversations: Conversation[] }>(`/conversations?limit=8&q=${encodeURIComponent(wanted)}`, abort.signal).then(
        (reply) => (found.value = reply.conversations),
        () => {},
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [words.value]);
  const offered = [...commands().filter((one) => fits(one.name, words.value.trim())), ...found.value.map(chatCommand)];
  const close = () => (paletteOpen.value = false);
  const run = (one: Command | undefined) => {
    close();
    if (one) requestAnimationFrame(one.run);
  };
  const move = (step: number) => {
    at.value = (at.value + step + offered.length) % Math.max(1, offered.length);
    list.current?.children[at.value]?.scrollIntoView({ block: "nearest" });
  };
  return (
    <Dialog title={t("commands")} kind="palette" onClose={close}>
      <div class="palette-box">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={offered.length ? `palette-${at.value}` : undefined}
          aria-label={t("paletteHint")}
          placeholder={t("paletteHint")}
          autofocus
          value={words.value}
          onInput={(event) => (words.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
            if (step) {
              event.preventDefault();
              move(step);
            } else if (event.key === "Enter" && !event.isComposing) {
              event.preventDefault();
              run(offered[at.value]);
            }
          }}
        />
      </div>
      <ul id="palette-list" role="listbox" aria-label={t("commands")} ref={list}>
        {offered.map((one, i) => (
          <li
            key={one.name + i}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at.value}
            onMouseMove={() => (at.value = i)}
            onClick={() => run(one)}
          >
            <Icon name={one.icon} size={16} />
            <span>{one.name}</span>
            {one.keys && <kbd>{one.keys}</kbd>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
