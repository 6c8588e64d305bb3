// Documents: adding them, watching them being read, searching and deleting them.
import { signal, useComputed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { messageOf, post, segment } from "../server/http";
import type { Document, Passage } from "../server/shapes";
import { Icon } from "../parts/icons";
import { confirm, Dialog, Empty, IconButton, Menu, Meter, Spinner } from "../parts/dialog";
import { Rows } from "../parts/rows";
import { notify } from "../state/notices";
import { collection } from "../state/preferences";
import { navigate } from "../state/route";
import { changeSettings, newConversation } from "../chat/thread";
import { ago, bytes, number, t } from "../words";
import {
  collections, deleteCollection, deleteDocument, documents, libraryPhase, makeCollection,
  refreshCollections, refreshDocuments,
} from "./library";
import { addFiles, forgetUpload, readAgain, retryUpload, uploads, type UploadItem } from "./uploads";

const selected = signal<Set<string>>(new Set());
const filter = signal("");

function stageOf(one: Document): string {
  const { done, total } = one.progress;
  switch (one.state) {
    case "queued":
      return t("stateQueued");
    case "extracting":
      return total ? t("stateExtracting", { done, total }) : t("stateExtractingStart");
    case "embedding":
      return total ? t("stateEmbedding", { done, total }) : t("stateEmbeddingStart");
    case "ready":
      return t("stateReady");
    case "failed":
      return one.error ? `${t("stateFailed")}: ${one.error}` : t("stateFailed");
  }
}

async function askDelete(one: Document) {
  const sure = await confirm(t("deleteDocument"), t("deleteDocumentText", { name: one.name }), t("delete"));
  if (sure) await deleteDocument(one.id);
}

function askAbout() {
  newConversation();
  changeSettings({ collection: collection.value, ground: true });
  navigate("");
}

function Remarks({ one }: { one: Document }) {
  const empty = one.pages_without_text?.length ?? 0;
  const remarks = [];
  if (empty) remarks.push(t("pagesWithoutText", { n: empty }));
  if (one.hidden_characters) remarks.push(t("hiddenText"));
  return remarks.length ? <span class="remark">{remarks.join(" · ")}</span> : null;
}

function Row({ one }: { one: Document }) {
  const isChosen = selected.value.has(one.id);
  const choose = () => {
    const next = new Set(selected.value);
    if (isChosen) next.delete(one.id);
    else next.add(one.id);
    selected.value = next;
  };
  const working = one.state === "extracting" || one.state === "embedding";
  return (
    <div class={`document ${one.state}`}>
      <input type="checkbox" checked={isChosen} onChange={choose} aria-label={one.name} />
      <Icon name="document" />
      <div class="document-text">
        <strong title={one.name}>{one.title || one.name}</strong>
        <small>
          {one.state === "ready" ? (
            <>
              {t("pagesAndPassages", { pages: number(one.pages), chunks: number(one.chunks) })} · {bytes(one.bytes)} · {ago(one.created_ms)} <Remarks one={one} />
            </>
          ) : (
            <span class={one.state === "failed" ? "error-text" : "stage"}>{stageOf(one)}</span>
          )}
        </small>
        {working && <Meter done={one.progress.done} total={one.progress.total} label={stageOf(one)} />}
      </div>
      {one.state === "failed" && (
        <IconButton icon="retry" label={t("tryFile")} onClick={() => readAgain(one.id, one.name, one.collection)} />
      )}
      <a class="quiet icon-button" href={`/documents/${one.id}/file`} target="_blank" rel="noopener" aria-label={`${t("openOriginal")}: ${one.name}`} title={t("openOriginal")}>
        <Icon name="external" />
      </a>
      <IconButton icon="trash" label={`${t("delete")}: ${one.name}`} onClick={() => askDelete(one)} />
    </div>
  );
}

function Uploading({ one }: { one: UploadItem }) {
  const failed = one.state === "failed";
  const text = failed ? one.error : one.state === "waiting" ? t("waitingUpload") : t("uploading", { n: Math.round(one.sent * 100) });
  return (
    <li class={`document upload ${one.state}`}>
      <Icon name={failed ? "warning" : "upload"} />
      <div class="document-text">
        <strong>{one.file.name}</strong>
        <small class={failed ? "error-text" : "stage"}>{text}</small>
        {one.state === "sending" && <Meter done={one.sent} total={1} label={text} />}
      </div>
      {failed && <IconButton icon="retry" label={t("retry")} onClick={() => retryUpload(one.key)} />}
      {failed && <IconButton icon="close" label={t("dismiss")} onClick={() => forgetUpload(one.key)} />}
    </li>
  );
}

function PassageSearch() {
  const [words, setWords] = useState("");
  const [asked, setAsked] = useState("");
  const [found, setFound] = useState<Passage[] | null>(null);
  const [busy, setBusy] = useState(false);
  const search = async () => {
    if (!words.trim()) {
      setFound(null);
      return;
    }
    setBusy(true);
    try {
      // The server's threshold is for answers; who searches sees how well each passage fits.
      const body = { query: words.trim(), limit: 12, score_threshold: 0 };
      const reply = await post<{ passages: Passage[] }>(`/collections/${segment(collection.value)}/search`, body);
      setFound(reply.passages);
      setAsked(words.trim());
    } catch (error) {
      notify(messageOf(error), "error");
    }
    setBusy(false);
  };
  const nameOf = (id: string) => {
    const one = documents.value.find((document) => document.id === id);
    return one ? one.title || one.name : "";
  };
  return (
    <section class="passages" aria-label={t("searchPassages")}>
      <form
        class="search-box"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void search();
        }}
      >
        <Icon name="search" />
        <input type="search" value={words} placeholder={t("searchPassages")} aria-label={t("searchPassages")} onInput={(event) => {
          setWords(event.currentTarget.value);
          if (!event.currentTarget.value) setFound(null);
        }} />
        {busy ? <Spinner label={t("loading")} /> : <button class="quiet small">{t("search")}</button>}
      </form>
      {found && !found.length && <p class="muted">{t("noPassages", { words: asked })}</p>}
      {found && found.length > 0 && (
        <ol class="passage-list">
          {found.map((passage, i) => (
            <li key={i}>
              <p class="passage-text">{passage.text}</p>
              <p class="muted small-text">
                <span class="score">{t("match", { n: Math.round(passage.score * 100) })}</span>
                {nameOf(passage.document)}
                {passage.page !== undefined && ` · ${t("page", { n: passage.page })}`}
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function CollectionPicker() {
  const [making, setMaking] = useState(false);
  const [name, setName] = useState("");
  const names = [...new Set([collection.value, "knowledgebase", ...collections.value.map((one) => one.name)])];
  const choose = (next: string) => {
    collection.value = next;
    selected.value = new Set();
    libraryPhase.value = "loading";
    void refreshDocuments();
  };
  return (
    <>
      <span class="picker">
        <Icon name="folder" size={16} />
        <select aria-label={t("collection")} value={collection.value} onChange={(event) => choose(event.currentTarget.value)}>
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <Icon name="down" size={14} />
      </span>
      <Menu
        label={t("collection")}
        items={[
          { icon: "plus", label: t("newCollection"), run: () => setMaking(true) },
          {
            icon: "trash",
            label: t("delete"),
            danger: true,
            run: async () => {
              const text = t("deleteCollectionText");
              if (await confirm(t("deleteCollection", { name: collection.value }), text, t("delete"))) {
                await deleteCollection(collection.value);
              }
            },
          },
        ]}
      />
      {making && (
        <Dialog title={t("newCollection")} onClose={() => setMaking(false)}>
          <form
            class="form"
            onSubmit={async (event) => {
              event.preventDefault();
              if (await makeCollection(name)) setMaking(false);
            }}
          >
            <label class="field">
              <span>{t("collectionName")}</span>
              <input type="text" required pattern="[A-Za-z0-9_\-]{1,64}" value={name} autofocus onInput={(event) => setName(event.currentTarget.value)} />
            </label>
            <footer>
              <button class="primary">{t("save")}</button>
            </footer>
          </form>
        </Dialog>
      )}
    </>
  );
}

function Selection() {
  const chosen = documents.value.filter((one) => selected.value.has(one.id));
  if (!chosen.length) return null;
  const deleteAll = async () => {
    if (!(await confirm(t("deleteDocuments", { n: chosen.length }), chosen.slice(0, 5).map((one) => one.name).join(", "), t("delete")))) return;
    for (const one of chosen) await deleteDocument(one.id);
    selected.value = new Set();
  };
  return (
    <div class="selection" role="toolbar" aria-label={t("selected", { n: chosen.length })}>
      <span>{t("selected", { n: chosen.length })}</span>
      <button type="button" class="danger small" onClick={deleteAll}>
        {t("delete")}
      </button>
      <button type="button" class="small" onClick={() => (selected.value = new Set())}>
        {t("clearSelection")}
      </button>
    </div>
  );
}

export function AddButton({ label = t("addDocuments") }: { label?: string }) {
  return (
    <label class="button primary">
      <Icon name="upload" size={16} />
      {label}
      <input
        type="file"
        class="sr-only"
        multiple
        accept="application/pdf,.pdf"
        onChange={(event) => {
          addFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

export function Documents() {
  useEffect(() => {
    void refreshDocuments();
    void refreshCollections();
  }, []);
  const words = filter.value.toLowerCase();
  const shown = useComputed(() => {
    const by = filter.value.toLowerCase();
    return by ? documents.value.filter((one) => `${one.title} ${one.name}`.toLowerCase().includes(by)) : documents.value;
  }).value;
  const mine = uploads.value.filter((one) => one.collection === collection.value);
  const isEmpty = libraryPhase.value === "ready" && !documents.value.length && !mine.length;
  const narrow = matchMedia("(max-width: 700px)").matches;
  return (
    <div class="page" data-scroller tabIndex={-1}>
      <div class="page-inner">
        <header class="page-head">
          <div>
            <h1>{t("documents")}</h1>
            <p class="muted">{t("documentsCount", { n: number(documents.value.length) })}</p>
          </div>
          <div class="row">
            <CollectionPicker />
            {documents.value.length > 0 && (
              <button type="button" onClick={askAbout}>
                {t("askAboutThis")}
              </button>
            )}
            <AddButton />
          </div>
        </header>
        {libraryPhase.value === "loading" && <Spinner label={t("loading")} />}
        {isEmpty && <Empty icon="document" title={t("documentsNone")} text={t("documentsNoneText")} />}
        {documents.value.length > 0 && <PassageSearch />}
        {mine.length > 0 && (
          <ul class="uploads" aria-live="polite">
            {mine.map((one) => (
              <Uploading key={one.key} one={one} />
            ))}
          </ul>
        )}
        {documents.value.length > 8 && (
          <input type="search" class="filter" value={filter.value} placeholder={t("filterDocuments")} aria-label={t("filterDocuments")} onInput={(event) => (filter.value = event.currentTarget.value)} />
        )}
        <Selection />
        {words && !shown.length && <p class="muted">{t("noHits", { words: filter.value })}</p>}
        <Rows items={shown} height={narrow ? 84 : 68} label={t("documents")} keyOf={(one) => one.id} row={(one) => <Row one={one} />} />
      </div>
    </div>
  );
}
