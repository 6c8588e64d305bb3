import temml from "temml";

const LENGTH_MAX = 5000;

/** Never throws; what is no formula is shown as it was written. */
export function draw(source: string, place: HTMLElement, display: boolean) {
  if (source.length > LENGTH_MAX) return;
  try {
    temml.render(source, place, {
      displayMode: display,
      annotate: true,
      throwOnError: true,
      trust: false,
      maxExpand: 500,
      maxSize: [20, 100],
    });
  } catch {
    place.textContent = source;
  }
}
