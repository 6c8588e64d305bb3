// A formula as MathML, which browsers draw and screen readers read. Its renderer is loaded when the
// first formula is shown; until then the source stands there.
import { useEffect, useRef } from "preact/hooks";

export function Formula({ source, display }: { source: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let here = true;
    void import("./temml").then(({ draw }) => {
      if (here && place.current) draw(source, place.current, display);
    });
    return () => {
      here = false;
    };
  }, [source, display]);
  return (
    <span ref={place} class={display ? "formula display" : "formula"} tabIndex={display ? 0 : undefined}>
      {source}
    </span>
  );
}
