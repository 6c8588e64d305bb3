// The texts of the page. English is the source; other languages come when they are chosen.
import { effect, signal } from "@preact/signals";
import { languageChoice } from "../state/preferences";
import { en } from "./en";

export type Words = typeof en;
export type Word = keyof Words;

const words = signal<Words>(en);
export const language = signal<"en" | "zh">("en");

effect(() => {
  const choice = languageChoice.value;
  const wanted =
    choice === "system" ? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en") : choice;
  if (wanted === "en") {
    words.value = en;
    language.value = "en";
    document.documentElement.lang = "en";
    return;
  }
  void import("./zh").then(({ zh }) => {
    words.value = zh;
    language.value = "zh";
    document.documentElement.lang = "zh";
  });
});

/** The text with {name} filled in; {n|one|# many} chooses by a number, which stands for #. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return words.value[word].replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = values[name];
    if (one === undefined) return String(value ?? "");
    return String(value) === "1" ? one : many.replace("#", String(value));
  });
}

const locale = () => (language.value === "zh" ? "zh-CN" : "en");

export function number(value: number, digits = 0): string {
  return value.toLocaleString(locale(), { maximumFractionDigits: digits });
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${number(value, unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

export function ago(ms: number): string {
  const seconds = Math.round((ms - Date.now()) / 1000);
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ] as const) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return t("justNow");
}

export function time(ms: number): string {
  return new Date(ms).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}
