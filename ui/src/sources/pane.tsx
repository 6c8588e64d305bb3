// A source beside the answer: the page of the document as a picture with the passage marked, or its
// text; a web page's address, age and the words that were used.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, segment } from "../server/http";
import type { Chunk, Document, Source } from "../server/shapes";
import type { Shown } from "../chat/thread";
import { Icon } from "../parts/icons";
import { IconButton, Spinner } from "../parts/dialog";
import { ago, number, t, time } from "../words";

interface Open {
  one: Shown;
  n: number;
}
export const openedSource = signal<Open | null>(null);
let cameFrom: HTMLElement | null = null;

export function openSource(one: Shown, n: number) {
  if (!openedSource.value) cameFrom = document.activeElement as HTMLElement | null;
  openedSource.value = { one, n };
}

export function closeSource() {
  openedSource.value = null;
  if (cameFrom?.isConnected) cameFrom.focus();
}

const citable = (one: Shown) => (one.message.value.sources ?? []).filter((source) => source.n > 0);

export function stepSource(step: number) {
  const open = openedSource.value;
  if (!open) return;
  const all = citable(open.one);
  const at = all.findIndex((source) => source.n === open.n);
  const next = all[(at + step + all.length) % all.length];
  if (next) openedSource.value = { one: open.one, n: next.n };
}

/** A text with the first place that fits the passage marked. */
export function Marked({ text, passage }: { text: string; passage: string }) {
  const words = passage.replace(/…$/, "").trim().split(/\s+/);
  const pattern = words.slice(0, 60).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
  const found = pattern ? new RegExp(pattern).exec(text) : null;
  if (!found) return <>{text}</>;
  return (
    <>
      {text.slice(0, found.index)}
      <mark>{found[0]}</mark>
      {text.slice(found.index + found[0].length)}
    </>
  );
}

function PageText({ source, page }: { source: Source; page: number }) {
  const [chunks, setChunks] = useState<Chunk[] | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let here = true;
    get<{ chunks: Chunk[] }>(`/documents/${source.document}/chunks?limit=1000`).then(
      (reply) => here && setChunks(reply.chunks),
      () => here && setError(t("sourceGone")),
    );
    return () => {
      here = false;
    };
  }, [source.document]);
  if (error) return <p class="muted">{error}</p>;
  if (!chunks) return <Spinner label={t("loading")} />;
  const here = chunks.filter((chunk) => chunk.page <= page && page <= chunk.page_end);
  return (
    <div class="page-text">
      {here.map((chunk) => (
        <p key={chunk.id} class={chunk.id === source.chunk ? "passage" : undefined}>
          <Marked text={chunk.text} passage={source.snippet} />
        </p>
      ))}
    </div>
  );
}

function DocumentSource({ source }: { source: Source }) {
  const [about, setAbout] = useState<Document | null>(null);
  const [page, setPage] = useState(source.page ?? 1);
  const [mode, setMode] = useState<"picture" | "text">("picture");
  const [picture, setPicture] = useState<"coming" | "here" | "missing">("coming");
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    setPage(source.page ?? 1);
    setPicture("coming");
    get<Document>(`/documents/${source.document}`).then(setAbout, () => setAbout(null));
  }, [source.document, source.page, source.chunk]);
  const address = `/documents/${source.document}/pages/${page}.png${source.chunk ? `?highlight=${segment(source.chunk)}` : ""}`;
  const asText = mode === "text" || picture === "missing";
  const turn = (to: number) => {
    setPage(to);
    setPicture("coming");
  };
  return (
    <>
      <div class="pane-tools">
        <IconButton icon="left" label={t("previousPage")} disabled={page <= 1} onClick={() => turn(page - 1)} />
        <span>{about?.pages ? t("pageOf", { n: page, total: about.pages }) : t("page", { n: page })}</span>
        <IconButton icon="right" label={t("nextPage")} disabled={!!about && page >= about.pages} onClick={() => turn(page + 1)} />
        <span class="space" />
        <div class="segments" role="group">
          <button type="button" aria-pressed={!asText} disabled={picture === "missing"} onClick={() => setMode("picture")}>
            {t("showPicture")}
          </button>
          <button type="button" aria-pressed={asText} onClick={() => setMode("text")}>
            {t("showText")}
          </button>
        </div>
        <a class="quiet icon-button" href={`/documents/${source.document}/file#page=${page}`} target="_blank" rel="noopener" aria-label={t("openOriginal")} title={t("openOriginal")}>
          <Icon name="external" />
        </a>
      </div>
      <div class="page-frame" ref={frame} tabIndex={0} role="region" aria-label={t("page", { n: page })}>
        {!asText && (
          <>
            {picture === "coming" && <Spinner label={t("loading")} />}
            <img
              key={address}
              src={address}
              alt={`${source.title}, ${t("page", { n: page })}. ${t("quoted")}: ${source.snippet}`}
              class={picture}
              onLoad={() => setPicture("here")}
              onError={() => setPicture("missing")}
            />
          </>
        )}
        {asText && (
          <>
            {picture === "missing" && <p class="muted small-text">{t("pictureMissing")}</p>}
            <PageText source={source} page={page} />
          </>
        )}
      </div>
      {about && <p class="muted small-text">{t("added", { when: ago(about.created_ms) })}</p>}
    </>
  );
}

function WebSource({ source }: { source: Source }) {
  const host = source.url ? new URL(source.url).host : "";
  return (
    <div class="web-source">
      <blockquote>
        <mark>{source.snippet}</mark>
      </blockquote>
      {source.url && (
        <p>
          <a href={source.url} target="_blank" rel="noopener noreferrer nofollow">
            {t("openAddress", { host })}
          </a>
          <br />
          <small class="muted break">{source.url}</small>
        </p>
      )}
      {source.retrieved_ms !== undefined && (
        <p class="muted small-text" title={time(source.retrieved_ms)}>
          {t("retrieved", { when: ago(source.retrieved_ms) })}
        </p>
      )}
    </div>
  );
}

export function SourcePane() {
  const open = openedSource.value;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, [open?.n, open?.one.id]);
  if (!open) return null;
  const all = citable(open.one);
  const source = all.find((one) => one.n === open.n);
  if (!source) return null;
  return (
    <aside class="pane" aria-label={t("sources")} onKeyDown={(event) => event.key === "Escape" && (event.stopPropagation(), closeSource())}>
      <header>
        <span class="source-number">{source.n}</span>
        <h2 ref={heading} tabIndex={-1}>
          {source.title || source.url}
        </h2>
        <IconButton icon="up" label={t("previousSource")} disabled={all.length < 2} onClick={() => stepSource(-1)} />
        <IconButton icon="down" label={t("nextSource")} disabled={all.length < 2} onClick={() => stepSource(1)} />
        <IconButton icon="close" label={t("close")} onClick={closeSource} />
      </header>
      <p class="pane-facts muted">
        {source.score !== undefined && <span class="score" title={number(source.score, 3)}>{t("match", { n: Math.round(source.score * 100) })}</span>}
        <span>
          {open.n} / {all.length}
        </span>
      </p>
      {source.kind === "document" ? <DocumentSource key={`${source.document}-${source.n}`} source={source} /> : <WebSource source={source} />}
    </aside>
  );
}
