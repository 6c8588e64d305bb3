// What an empty conversation says: what this is, which model answers, and where to begin.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import sampleAddress from "../../sample.pdf";
import { get, messageOf } from "../server/http";
import { listen } from "../server/events";
import type { Document } from "../server/shapes";
import { AddButton } from "../documents/view";
import { documents, libraryPhase, readyCount, refreshDocuments } from "../documents/library";
import { send } from "../documents/uploads";
import { Icon, Mark } from "../parts/icons";
import { Spinner } from "../parts/dialog";
import { notify } from "../state/notices";
import { collection } from "../state/preferences";
import { answering, defaultModel, EXTRACTIVE } from "../state/session";
import { number, t } from "../words";
import { ask, settings } from "./thread";

const SAMPLE_NAME = "Heddle sample: pump manual.pdf";
const sample = signal<"none" | "reading" | "ready">("none");

/** The sample goes the way of every document: it is uploaded, read and found. */
async function takeSample() {
  sample.value = "reading";
  try {
    const file = await (await fetch(sampleAddress)).blob();
    const made = await send(new File([file], SAMPLE_NAME, { type: "application/pdf" }), collection.value, () => {});
    let last = await get<Document>(`/documents/${made.id}`);
    for await (const event of listen("GET", `/documents/${made.id}/events`, undefined, new AbortController().signal)) {
      if (event.name === "document") last = event.data;
    }
    if (last.state === "failed") throw new Error(last.error);
    await refreshDocuments();
    sample.value = "ready";
  } catch (error) {
    sample.value = "none";
    notify(messageOf(error), "error");
  }
}

function Questions() {
  return (
    <section class="questions" aria-label={t("tryAsking")}>
      <h2>{t("sampleReady")}</h2>
      {(["sampleQuestion1", "sampleQuestion2", "sampleQuestion3"] as const).map((question) => (
        <button type="button" key={question} onClick={() => ask(t(question))}>
          {t(question)}
          <Icon name="right" size={16} />
        </button>
      ))}
    </section>
  );
}

function WhichModel() {
  const chosen = settings.value.model;
  const model = answering.value.some((one) => one.id === chosen) ? chosen : defaultModel.value;
  if (!model) return null;
  if (model !== EXTRACTIVE) return <p class="which-model">{t("answeredBy", { model })}</p>;
  return (
    <details class="which-model">
      <summary>
        {t("answeredByExtractive")} <span class="as-link">{t("howToModel")}</span>
      </summary>
      <p>{t("howToModelText")}</p>
      <pre tabIndex={0}>{"heddle serve --model /path/to/model\nheddle serve --upstream http://localhost:8001/v1"}</pre>
    </details>
  );
}

export function Welcome() {
  useEffect(() => {
    if (libraryPhase.value === "loading") void refreshDocuments();
  }, []);
  const hasSample = documents.value.some((one) => one.name === SAMPLE_NAME && one.state === "ready");
  const isFirst = libraryPhase.value === "ready" && documents.value.length === 0;
  return (
    <div class="thread-frame welcome-frame" tabIndex={-1} id="thread">
      <div class="welcome">
        <Mark size={44} />
        <h1>{t("welcome")}</h1>
        <p class="lead">{t("welcomeText")}</p>
        {isFirst && sample.value !== "ready" && (
          <div class="cards">
            <div class="card">
              <Icon name="upload" size={22} />
              <h2>{t("firstUpload")}</h2>
              <p>{t("firstUploadText")}</p>
              <AddButton />
            </div>
            <div class="card">
              <Icon name="sparkle" size={22} />
              <h2>{t("firstSample")}</h2>
              <p>{t("firstSampleText")}</p>
              {sample.value === "reading" ? (
                <p class="stage">
                  <Spinner label={t("loading")} /> {t("sampleReading")}
                </p>
              ) : (
                <button type="button" onClick={takeSample}>
                  {t("firstSample")}
                </button>
              )}
            </div>
          </div>
        )}
        {(hasSample || sample.value === "ready") && <Questions />}
        {readyCount.value > 0 && <p class="muted">{t("documentsHere", { n: number(readyCount.value) })}</p>}
        <WhichModel />
      </div>
    </div>
  );
}
