// One question or one answer.
import { memo } from "preact/compat";
import { useMemo, useState } from "preact/hooks";
import type { Source } from "../server/shapes";
import { CopyButton } from "../text/code";
import { Markdown, type CiteRenderer } from "../text/markdown";
import { number, t } from "../words";
import { Icon, type IconName } from "../parts/icons";
import { IconButton, Spinner } from "../parts/dialog";
import { addressesIn, shortAddress } from "./addresses";
import { askAgain, askEdited, branchAt, showSibling, writing, type Shown } from "./thread";
import { editing } from "./editing";
import { openSource } from "../sources/pane";

function Siblings({ one }: { one: Shown }) {
  const { siblings, id } = one.message.value;
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(id);
  return (
    <span class="siblings">
      <IconButton icon="left" size={15} label={t("previousVersion")} disabled={at <= 0} onClick={() => showSibling(siblings[at - 1]!)} />
      <span aria-label={t("versionOf", { i: at + 1, n: siblings.length })}>
        {at + 1}/{siblings.length}
      </span>
      <IconButton icon="right" size={15} label={t("nextVersion")} disabled={at === siblings.length - 1} onClick={() => showSibling(siblings[at + 1]!)} />
    </span>
  );
}

type Reading = "fetching" | "fetched" | "notFetched";

function readingOf(address: string, sources: Source[] | undefined, over: boolean): [Reading, string] {
  if (!sources) return [over ? "notFetched" : "fetching", ""];
  const bare = (url: string) => url.replace(/\/$/, "").replace(/#.*$/, "");
  const source = sources.find((one) => one.url && bare(one.url) === bare(address));
  if (source?.error) return ["notFetched", source.error];
  return [source ? "fetched" : "notFetched", ""];
}

/** The addresses of a question with what became of them, as its answer tells. */
function Addresses({ text, answer }: { text: string; answer: Shown | undefined }) {
  const found = useMemo(() => addressesIn(text), [text]);
  if (!found.length) return null;
  const message = answer?.message.value;
  const over = message !== undefined && message.state !== "running";
  const sources = message?.sources?.length || over ? message?.sources : undefined;
  return (
    <ul class="chips">
      {found.map((address) => {
        const [state, why] = readingOf(address, sources, over);
        return (
          <li key={address} class={`chip ${state}`} title={why || address}>
            <Icon name="web" size={14} />
            {shortAddress(address)}
            <span class="chip-state">
              {state === "fetching" ? <Spinner label={t("fetching")} /> : <Icon name={state === "fetched" ? "check" : "warning"} size={13} />}
              {t(state)}
              {why && `: ${why}`}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Edit({ one }: { one: Shown }) {
  const [text, setText] = useState(one.message.value.content);
  const send = () => {
    editing.value = "";
    if (text.trim()) void askEdited(one, text.trim());
  };
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        aria-label={t("editQuestion")}
        value={text}
        autofocus
        rows={Math.min(12, text.split("\n").length + 1)}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") editing.value = "";
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div class="row end">
        <button type="button" onClick={() => (editing.value = "")}>
          {t("cancel")}
        </button>
        <button class="primary">{t("send")}</button>
      </div>
    </form>
  );
}

export const Question = memo(function Question({ one, answer }: { one: Shown; answer: Shown | undefined }) {
  const message = one.message.value;
  if (editing.value === one.id) return <Edit one={one} />;
  return (
    <article class="question" aria-label={t("you")}>
      <div class="bubble">{message.content}</div>
      <Addresses text={message.content} answer={answer} />
      <div class="tools">
        <Siblings one={one} />
        <CopyButton text={() => message.content} label={t("copy")} />
        <IconButton icon="edit" size={16} label={t("editQuestion")} disabled={!!writing.value} onClick={() => (editing.value = one.id)} />
      </div>
    </article>
  );
});

const STATES: Partial<Record<string, [IconName, "stopped" | "interrupted" | "failed"]>> = {
  stopped: ["stop", "stopped"],
  interrupted: ["warning", "interrupted"],
  failed: ["warning", "failed"],
};

function Figures({ one }: { one: Shown }) {
  const message = one.message.value;
  const live = one.live.value;
  const parts: string[] = [];
  if (message.model) parts.push(message.model);
  const first = message.first_token_ms ?? 0;
  const whole = live ? performance.now() - live.begun : (message.duration_ms ?? 0);
  const tokens = message.usage?.completion_tokens ?? 0;
  if (tokens && whole > first) {
    parts.push(t("tokensPerSecond", { n: number(tokens / ((whole - first) / 1000 || 1), 1) }));
    parts.push(t("tokens", { n: number(tokens) }));
  }
  if (first) parts.push(t("firstToken", { n: number(first / 1000, 2) }));
  return <span class="figures">{parts.join(" · ")}</span>;
}

function SourceList({ one }: { one: Shown }) {
  const sources = one.message.value.sources ?? [];
  const cited = sources.filter((source) => source.n > 0);
  if (!cited.length) return null;
  return (
    <ul class="source-list" aria-label={t("sourcesOf", { n: cited.length })}>
      {cited.map((source) => (
        <li key={source.n}>
          <button type="button" class="source-chip" onClick={() => openSource(one, source.n)}>
            <span class="source-number">{source.n}</span>
            <Icon name={source.kind === "web" ? "web" : "document"} size={14} />
            <span class="source-title">{source.title || source.url}</span>
            {source.page !== undefined && <span class="muted">{t("page", { n: source.page })}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Waiting({ one, question }: { one: Shown; question: Shown | undefined }) {
  const message = one.message.value;
  const pages = question ? addressesIn(question.message.value.content).length : 0;
  const text = message.sources ? t("thinking") : pages ? t("fetchingPages", { n: pages }) : t("searchingSources");
  return (
    <p class="waiting">
      <Spinner label={t("loading")} /> {text}
    </p>
  );
}

export const Answer = memo(function Answer({ one, question }: { one: Shown; question: Shown | undefined }) {
  const message = one.message.value;
  const live = one.live.value;
  const known = message.sources?.map((source) => source.n).join() ?? "";
  const cite = useMemo<CiteRenderer>(() => {
    const numbers = new Set(known.split(",").map(Number));
    return (n) =>
      numbers.has(n) && n > 0 ? (
        <button type="button" class="cite" aria-label={t("sourceN", { n })} onClick={() => openSource(one, n)}>
          {n}
        </button>
      ) : null;
  }, [known, one]);
  const isOver = message.state !== "running";
  const state = STATES[message.state];
  return (
    <article class="answer" aria-label={t("heddle")} aria-busy={!isOver}>
      {message.content ? <Markdown text={message.content} cite={cite} /> : null}
      {!message.content && !isOver && <Waiting one={one} question={question} />}
      {!message.content && isOver && !state && <p class="muted">{t("emptyAnswer")}</p>}
      {live?.isLost && (
        <p class="state warning">
          <Spinner label={t("loading")} /> {t("offlineResume")}
        </p>
      )}
      {state && (
        <p class={`state ${message.state}`}>
          <Icon name={state[0]} size={16} />
          {t(state[1])}
          {message.error ? `: ${message.error}` : ""}
        </p>
      )}
      {isOver && <SourceList one={one} />}
      {isOver && (
        <div class="tools">
          <Siblings one={one} />
          <CopyButton text={() => message.content} label={t("copy")} />
          <IconButton icon="retry" size={16} label={t("askAgain")} disabled={!!writing.value} onClick={() => askAgain(one)} />
          <IconButton icon="branch" size={16} label={t("branch")} onClick={() => branchAt(one)} />
          <Figures one={one} />
        </div>
      )}
    </article>
  );
});
