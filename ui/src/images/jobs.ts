// Jobs that paint: queued, watched while they are painted, kept as pictures.
import { signal } from "@preact/signals";
import { get, post, remove, ServerError } from "../server/http";
import { listen } from "../server/events";
import type { Job, Picture } from "../server/shapes";

const FOLLOWED_MAX = 3;

export const jobs = signal<Job[]>([]);
export const pictures = signal<Picture[]>([]); // with what they were made of
export const previews = signal<Record<string, string>>({}); // "job/n" → base64
export const imagesPhase = signal<"loading" | "ready" | "missing">("loading");

export interface Order {
  prompt: string;
  count: number;
  size: string;
  steps: number;
  negative: string;
  seed?: number | undefined;
}

const ENDED = ["done", "succeeded", "failed", "cancelled", "dead"];
export const isOver = (job: Job) => ENDED.includes(job.state);
export const hasFailed = (job: Job) => job.state === "failed" || job.state === "dead";

/** What was asked for: as this page sent it, or as the pictures of the job tell. */
export function orderOf(job: Job): Order {
  const picture = pictures.value.find((one) => one.job === job.id);
  const from: Record<string, any> = { ...picture, ...job };
  const size = from.size ?? picture?.size ?? "";
  return {
    prompt: String(from.prompt ?? ""),
    count: Number(from.n ?? job.progress?.count ?? job.result?.images?.length ?? 1),
    size: typeof size === "number" ? `${size}x${size}` : String(size),
    steps: Number(from.steps ?? 0),
    negative: String(from.negative_prompt ?? ""),
    seed: from.seed === undefined ? undefined : Number(from.seed),
  };
}

/** How many of its pictures can be fetched. */
export const picturesOf = (job: Job): number => job.result?.images?.length ?? job.progress?.done ?? 0;

export async function refreshJobs() {
  try {
    const reply = await get<{ jobs?: Job[] }>("/jobs?kind=images&limit=100");
    pictures.value = (await get<{ images?: Picture[] }>("/images?limit=100")).images ?? [];
    jobs.value = reply.jobs ?? [];
    imagesPhase.value = "ready";
    followAll();
  } catch (error) {
    imagesPhase.value = error instanceof ServerError && error.isOffline ? imagesPhase.value : "missing";
  }
}

function replace(job: Job) {
  const old = jobs.value.find((one) => one.id === job.id);
  const next = { ...old, ...job };
  jobs.value = old ? jobs.value.map((one) => (one.id === job.id ? next : one)) : [next, ...jobs.value];
}

const followed = new Set<string>();

function followAll() {
  for (const job of [...jobs.value].reverse()) {
    if (followed.size >= FOLLOWED_MAX) return;
    if (!isOver(job) && !followed.has(job.id)) void follow(job.id);
  }
}

async function follow(id: string) {
  followed.add(id);
  try {
    for await (const event of listen("GET", `/jobs/${id}/events`, undefined, new AbortController().signal)) {
      if (event.name !== "job") continue;
      const job = event.data as Job;
      const preview = job.progress?.preview;
      if (preview?.url) previews.value = { ...previews.value, [`${id}/${preview.number}`]: preview.url };
      replace(job);
    }
  } catch {
    await new Promise((resume) => setTimeout(resume, 1500));
  }
  followed.delete(id);
  try {
    replace(await get<Job>(`/jobs/${id}`));
  } catch {
    jobs.value = jobs.value.filter((one) => one.id !== id);
  }
  followAll();
}

export async function paint(order: Order) {
  const body: Record<string, unknown> = {
    prompt: order.prompt,
    n: order.count,
    size: order.size,
    steps: order.steps,
    background: true,
  };
  if (order.negative) body.negative_prompt = order.negative;
  if (order.seed !== undefined) body.seed = order.seed;
  const reply = await post<{ job?: Job } & Job>("/v1/images/generations", body);
  replace({ ...body, ...(reply.job ?? reply) } as Job);
  followAll();
}

export async function cancelJob(id: string) {
  await remove(`/jobs/${id}`);
  try {
    replace(await get<Job>(`/jobs/${id}`));
  } catch {
    jobs.value = jobs.value.filter((one) => one.id !== id);
  }
}
