// Where the user is: the part of the address after "#". The server sees none of it.
import { computed, signal } from "@preact/signals";

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export type View = "chat" | "documents" | "images" | "operations";

export const route = computed<{ view: View; id: string }>(() => {
  const [view, id] = hash.value.replace(/^#\/?/, "").split("/");
  if (view === "documents" || view === "images" || view === "operations") {
    return { view, id: id ?? "" };
  }
  return { view: "chat", id: view === "c" ? (id ?? "") : "" };
});

export function navigate(to: string, replace = false) {
  if (replace) {
    history.replaceState(null, "", "#/" + to);
    hash.value = location.hash;
  } else location.hash = "#/" + to;
}
