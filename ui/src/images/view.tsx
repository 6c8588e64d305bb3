// Images: what is being painted, and the gallery of what was.
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../server/http";
import type { Job } from "../server/shapes";
import { Icon } from "../parts/icons";
import { Dialog, Empty, IconButton, Meter, Spinner } from "../parts/dialog";
import { notify } from "../state/notices";
import { ago, number, t } from "../words";
import { cancelJob, hasFailed, imagesPhase, isOver, jobs, orderOf, paint, picturesOf, previews, refreshJobs, type Order } from "./jobs";

const SIZES = ["64x64", "128x128", "256x256", "512x512"];
const STEPS = [4, 8, 16, 32];

const pathOf = (job: Job, n: number) => `/jobs/${job.id}/images/${n}.png`;

async function order(what: Order) {
  try {
    await paint(what);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

function Form() {
  const [what, setWhat] = useState<Order>({ prompt: "", count: 1, size: "256x256", steps: 8, negative: "" });
  const change = (to: Partial<Order>) => setWhat((was) => ({ ...was, ...to }));
  return (
    <form
      class="paint"
      onSubmit={(event) => {
        event.preventDefault();
        if (what.prompt.trim()) void order({ ...what, prompt: what.prompt.trim() });
      }}
    >
      <label class="field grow">
        <span class="sr-only">{t("prompt")}</span>
        <textarea rows={2} value={what.prompt} placeholder={t("imagePrompt")} onInput={(event) => change({ prompt: event.currentTarget.value })} />
      </label>
      <div class="paint-options">
        <label class="field">
          <span>{t("count")}</span>
          <input type="number" min={1} max={10} value={what.count} onChange={(event) => change({ count: Math.min(10, Math.max(1, event.currentTarget.valueAsNumber || 1)) })} />
        </label>
        <label class="field">
          <span>{t("size")}</span>
          <select value={what.size} onChange={(event) => change({ size: event.currentTarget.value })}>
            {SIZES.map((size) => (
              <option key={size} value={size}>
                {size.replace("x", " × ")}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t("steps")}</span>
          <select value={what.steps} onChange={(event) => change({ steps: Number(event.currentTarget.value) })}>
            {STEPS.map((steps) => (
              <option key={steps} value={steps}>
                {steps}
              </option>
            ))}
          </select>
        </label>
        <label class="field grow">
          <span>{t("negative")}</span>
          <input type="text" value={what.negative} onInput={(event) => change({ negative: event.currentTarget.value })} />
        </label>
        <button class="primary" disabled={!what.prompt.trim()}>
          {t("paint")}
        </button>
      </div>
    </form>
  );
}

function stageOf(job: Job): string {
  const { done = 0, count = 0, images = [] } = job.progress ?? {};
  const current = images.find((image) => image.step > 0 && image.step < image.steps);
  if (job.state === "queued" || job.state === "waiting") return t("waiting");
  if (hasFailed(job)) return job.error ? `${t("stateFailed")}: ${job.error}` : t("stateFailed");
  if (job.state === "cancelled") return t("cancelled");
  if (isOver(job)) return t("done");
  if (current) return t("stepOf", { done: current.step, total: current.steps });
  return count ? t("pictureOf", { done, total: count }) : t("painting");
}

function shareOf(job: Job): number {
  const { count = 0, images = [] } = job.progress ?? {};
  const steps = images.reduce((sum, image) => sum + image.step / Math.max(1, image.steps), 0);
  return count ? Math.min(1, steps / count) : 0;
}

function Card({ job, onOpen }: { job: Job; onOpen: (n: number) => void }) {
  const what = orderOf(job);
  const ready = picturesOf(job);
  const over = isOver(job);
  const places = [...Array(over ? ready : Math.max(what.count, 1)).keys()];
  return (
    <li class="job">
      <div class="pictures" data-count={Math.min(4, places.length)}>
        {places.map((n) => {
          const preview = previews.value[`${job.id}/${n}`];
          if (n < ready) {
            return (
              <button type="button" key={n} class="picture" onClick={() => onOpen(n)}>
                <img src={pathOf(job, n)} loading="lazy" alt={t("imageAlt", { prompt: what.prompt, n: n + 1 })} />
              </button>
            );
          }
          return (
            <span key={n} class="picture coming">
              {preview ? <Preview data={preview} /> : !over && <Spinner label={t("painting")} />}
            </span>
          );
        })}
      </div>
      <div class="job-text">
        <p title={what.prompt}>{what.prompt}</p>
        <small class={hasFailed(job) ? "error-text" : "muted"}>
          {stageOf(job)}
          {job.created_ms ? ` · ${ago(job.created_ms)}` : ""}
        </small>
        {!over && <Meter done={shareOf(job)} total={1} label={stageOf(job)} />}
      </div>
      <div class="row">
        {!over && (
          <button type="button" class="small" onClick={() => cancelJob(job.id).catch((error) => notify(messageOf(error), "error"))}>
            {t("cancel")}
          </button>
        )}
        {over && (
          <IconButton icon="retry" label={t("anotherSeed")} onClick={() => order({ ...what, seed: Math.floor(Math.random() * 2 ** 31) })} />
        )}
        {over && <IconButton icon="trash" label={t("delete")} onClick={() => cancelJob(job.id).catch((error) => notify(messageOf(error), "error"))} />}
      </div>
    </li>
  );
}

/** A small picture that came as text, shown without a data: address. */
function Preview({ data }: { data: string }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const text = atob(data.replace(/^data:[^,]*,/, ""));
    const blob = new Blob([Uint8Array.from(text, (c) => c.charCodeAt(0))], { type: "image/png" });
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return address ? <img class="preview" src={address} alt="" /> : null;
}

function Details({ job, n, onClose }: { job: Job; n: number; onClose: () => void }) {
  const what = orderOf(job);
  return (
    <Dialog title={t("details")} kind="wide" onClose={onClose}>
      <div class="picture-details">
        <img src={pathOf(job, n)} alt={t("imageAlt", { prompt: what.prompt, n: n + 1 })} />
        <dl>
          <dt>{t("prompt")}</dt>
          <dd>{what.prompt}</dd>
          {what.negative && <dt>{t("negative")}</dt>}
          {what.negative && <dd>{what.negative}</dd>}
          {what.size && <dt>{t("size")}</dt>}
          {what.size && <dd>{what.size}</dd>}
          {what.steps > 0 && <dt>{t("steps")}</dt>}
          {what.steps > 0 && <dd>{number(what.steps)}</dd>}
          {what.seed !== undefined && <dt>{t("seed")}</dt>}
          {what.seed !== undefined && <dd>{String(what.seed)}</dd>}
        </dl>
      </div>
      <footer>
        <button type="button" onClick={() => order({ ...what, seed: Math.floor(Math.random() * 2 ** 31) }).then(onClose)}>
          {t("anotherSeed")}
        </button>
        <a class="button primary" href={pathOf(job, n)} download={`${what.prompt.slice(0, 40) || "picture"}-${n + 1}.png`}>
          <Icon name="download" size={16} />
          {t("download")}
        </a>
      </footer>
    </Dialog>
  );
}

export function Images() {
  const [open, setOpen] = useState<{ id: string; n: number } | null>(null);
  useEffect(() => {
    void refreshJobs();
  }, []);
  const phase = imagesPhase.value;
  const opened = open && jobs.value.find((job) => job.id === open.id);
  return (
    <div class="page" data-scroller tabIndex={-1}>
      <div class="page-inner">
        <header class="page-head">
          <h1>{t("images")}</h1>
        </header>
        {phase === "loading" && <Spinner label={t("loading")} />}
        {phase === "missing" && <Empty icon="image" title={t("imagesUnavailable")} text={t("imagesUnavailableText")} />}
        {phase === "ready" && <Form />}
        {phase === "ready" && !jobs.value.length && <Empty icon="image" title={t("imagesNone")} text={t("imagesNoneText")} />}
        <ul class="gallery">
          {jobs.value.map((job) => (
            <Card key={job.id} job={job} onOpen={(n) => setOpen({ id: job.id, n })} />
          ))}
        </ul>
      </div>
      {opened && <Details job={opened} n={open.n} onClose={() => setOpen(null)} />}
    </div>
  );
}
