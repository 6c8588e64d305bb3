// What this browser remembers: look, language, and the settings of new conversations.
import { effect, signal } from "@preact/signals";
import type { AnswerSettings } from "../server/shapes";

function remembered<T>(name: string, otherwise: T) {
  let start = otherwise;
  try {
    const kept = localStorage.getItem("heddle." + name);
    if (kept !== null) start = JSON.parse(kept);
  } catch {
    // Storage is off or holds something else: the default will do.
  }
  const value = signal<T>(start);
  let first = true;
  effect(() => {
    const text = JSON.stringify(value.value);
    if (first) {
      first = false;
      return;
    }
    try {
      localStorage.setItem("heddle." + name, text);
    } catch {
      // Kept for this visit only.
    }
  });
  return value;
}

export type Theme = "system" | "light" | "dark";
export const theme = remembered<Theme>("theme", "system");
export type LanguageChoice = "system" | "en" | "zh";
export const languageChoice = remembered<LanguageChoice>("language", "system");
export const sidebarHidden = remembered("sidebarHidden", false);
export const collection = remembered("collection", "knowledgebase");

export const defaultSettings: AnswerSettings = {
  model: "",
  system: "",
  temperature: 0.7,
  top_p: 1,
  max_tokens: null,
  seed: null,
  ground: true,
  collection: "knowledgebase",
  limit: null,
};
export const lastSettings = remembered<AnswerSettings>("settings", defaultSettings);

effect(() => {
  const root = document.documentElement;
  if (theme.value === "system") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
});
