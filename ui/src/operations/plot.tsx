// A small plot over time: one or two lines, the newest value in words.
import type { ComponentChildren } from "preact";

const WIDTH = 320;
const HEIGHT = 84;
const SPAN_MS_MIN = 60_000;
const SPAN_MS_MAX = 5 * 60_000;

export interface Line {
  name: string;
  values: (number | null)[];
}

export function Plot(props: { title: string; times: number[]; lines: Line[]; format: (value: number) => string; most?: number; none: string; wide?: boolean }) {
  const end = props.times.at(-1) ?? Date.now();
  const all = props.lines.flatMap((line) => line.values.filter((value): value is number => value !== null));
  const top = props.most ?? Math.max(1e-9, ...all) * 1.15;
  const span = Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, end - (props.times[0] ?? end)));
  const x = (at: number) => WIDTH - ((end - at) / span) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (Math.min(value, top) / top) * (HEIGHT - 6);
  const path = (values: (number | null)[]) => {
    let out = "";
    let drawing = false;
    values.forEach((value, i) => {
      if (value === null) {
        drawing = false;
        return;
      }
      out += `${drawing ? "L" : "M"}${x(props.times[i]!).toFixed(1)} ${y(value).toFixed(1)}`;
      drawing = true;
    });
    return out;
  };
  const latest = props.lines.map((line) => line.values.findLast((value) => value !== null) ?? null);
  const words: ComponentChildren = latest.every((value) => value === null)
    ? <span class="none">{props.none}</span>
    : props.lines.map((line, i) => (
        <span key={line.name} class={`value line-${i}`}>
          {latest[i] === null ? "–" : props.format(latest[i]!)}
          {props.lines.length > 1 && <small> {line.name}</small>}
        </span>
      ));
  return (
    <figure class={props.wide ? "plot wide" : "plot"}>
      <figcaption>
        <h2>{props.title}</h2>
        <p>{words}</p>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="ground" d={`M0 ${HEIGHT - 1}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}`} />
        {props.lines.map((line, i) => (
          <path key={line.name} class={`line line-${i}`} d={path(line.values)} />
        ))}
      </svg>
    </figure>
  );
}
