// A list of rows of one height of which only those in sight are on the page.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

const BEYOND = 8;

export function Rows<T>(props: {
  items: T[];
  height: number;
  label: string;
  keyOf: (item: T) => string;
  row: (item: T) => ComponentChildren;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 40]);
  useLayoutEffect(() => {
    const list = frame.current!;
    const scroller = list.closest<HTMLElement>("[data-scroller]")!;
    const look = () => {
      const top = scroller.getBoundingClientRect().top - list.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(top / props.height) - BEYOND);
      const last = Math.ceil((top + scroller.clientHeight) / props.height) + BEYOND;
      setRange((was) => (was[0] === first && was[1] === last ? was : [first, last]));
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      scroller.removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [props.height, props.items.length]);
  const shown = props.items.slice(range[0], range[1]);
  return (
    <div ref={frame} role="list" class="rows" aria-label={props.label} style={{ height: `${props.items.length * props.height}px` }}>
      {shown.map((item, i) => (
        <div
          key={props.keyOf(item)}
          role="listitem"
          class="row-place"
          aria-setsize={props.items.length}
          aria-posinset={range[0] + i + 1}
          style={{ top: `${(range[0] + i) * props.height}px`, height: `${props.height}px` }}
        >
          {props.row(item)}
        </div>
      ))}
    </div>
  );
}
