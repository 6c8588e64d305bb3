// Short messages at the edge of the page; read out by screen readers.
import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  kind: "info" | "error";
  text: string;
}

export const notices = signal<Notice[]>([]);
let last = 0;

export function notify(text: string, kind: Notice["kind"] = "info") {
  const id = ++last;
  notices.value = [...notices.value.slice(-3), { id, kind, text }];
  setTimeout(() => dismiss(id), kind === "error" ? 9000 : 4000);
}

export function dismiss(id: number) {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
