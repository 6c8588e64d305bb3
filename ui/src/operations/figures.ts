// The server's figures over the last minutes, from its Prometheus text (/metrics).
import { signal } from "@preact/signals";
import { call } from "../server/http";

const EVERY_MS = 2000;
const KEPT = 150; // five minutes

type Sample = Map<string, number>; // "name{labels}" → value

export interface Point {
  at: number;
  running: number;
  waiting: number;
  tokens: number; // a second
  requests: number; // a second
  first50: number | null; // seconds
  first95: number | null;
  kv: number | null; // of 1
  hits: number | null; // of 1
  jobs: number | null;
}

export const points = signal<Point[]>([]);

export function parseMetrics(text: string): Sample {
  const sample: Sample = new Map();
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#")) continue;
    const space = line.lastIndexOf(" ");
    const value = Number(line.slice(space + 1));
    if (!Number.isNaN(value)) sample.set(line.slice(0, space).replace(/^heddle:/, ""), value);
  }
  return sample;
}

function sum(sample: Sample, name: string): number | null {
  let total: number | null = null;
  for (const [key, value] of sample) {
    if (key === name || key.startsWith(name + "{")) total = (total ?? 0) + value;
  }
  return total;
}

/** Of the observations between two samples; null when there were none. */
export function quantile(before: Sample, now: Sample, name: string, share: number): number | null {
  const bounds: [number, number][] = [];
  for (const [key, value] of now) {
    const match = /^(\w+)_bucket\{.*le="([^"]+)"/.exec(key);
    if (match?.[1] !== name) continue;
    const bound = match[2] === "+Inf" ? Infinity : Number(match[2]);
    bounds.push([bound, value - (before.get(key) ?? 0)]);
  }
  bounds.sort((a, b) => a[0] - b[0]);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  let low = 0;
  let below = 0;
  for (const [bound, count] of bounds) {
    if (count >= share * total) {
      if (bound === Infinity) return low;
      return low + ((bound - low) * (share * total - below)) / Math.max(count - below, 1e-9);
    }
    low = bound;
    below = count;
  }
  return low;
}

function ratio(before: Sample, now: Sample, part: string, whole: string): number | null {
  const hits = (sum(now, part) ?? 0) - (sum(before, part) ?? 0);
  const all = (sum(now, whole) ?? 0) - (sum(before, whole) ?? 0);
  return all > 0 ? hits / all : null;
}

let history: { at: number; sample: Sample }[] = [];

function pointOf(at: number, now: Sample): Point {
  const previous = history.at(-1);
  // Percentiles over a minute: two seconds hold too few answers.
  const minute = history.findLast((one) => at - one.at >= 60_000) ?? history[0];
  const seconds = previous ? (at - previous.at) / 1000 : 1;
  const rate = (name: string) =>
    previous ? Math.max(0, ((sum(now, name) ?? 0) - (sum(previous.sample, name) ?? 0)) / seconds) : 0;
  const base = minute?.sample ?? new Map();
  return {
    at,
    running: sum(now, "num_requests_running") ?? 0,
    waiting: sum(now, "num_requests_waiting") ?? 0,
    tokens: rate("generation_tokens_total"),
    requests: rate("http_requests_total"),
    first50: quantile(base, now, "time_to_first_token_seconds", 0.5),
    first95: quantile(base, now, "time_to_first_token_seconds", 0.95),
    kv: sum(now, "kv_cache_usage_perc"),
    hits: previous ? ratio(base, now, "prefix_cache_hits", "prefix_cache_queries") : null,
    jobs: sum(now, "jobs_running") ?? sum(now, "jobs_queued") ?? sum(now, "jobs"),
  };
}

/** Reads until told to stop. */
export function watchFigures(): () => void {
  let stopped = false;
  const read = async () => {
    if (!document.hidden) {
      try {
        const sample = parseMetrics(await (await call("GET", "/metrics")).text());
        const at = Date.now();
        points.value = [...points.value.slice(1 - KEPT), pointOf(at, sample)];
        history = [...history.slice(1 - KEPT), { at, sample }];
      } catch {
        // The next reading may succeed; the gap shows in the plot.
      }
    }
    if (!stopped) timer = window.setTimeout(read, EVERY_MS);
  };
  let timer = window.setTimeout(read, 0);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
