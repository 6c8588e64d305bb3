// What the palette offers and which keys do it.
import { draft, focusComposer, settingsOpen } from "../chat/composer";
import { editing } from "../chat/editing";
import { newConversation, stopWriting, thread, writing } from "../chat/thread";
import { closeSource, openedSource, openSource, stepSource } from "../sources/pane";
import { isAdmin, logout, session } from "../state/session";
import { languageChoice, sidebarHidden, theme } from "../state/preferences";
import { navigate } from "../state/route";
import { language, t } from "../words";
import type { IconName } from "../parts/icons";
import { paletteOpen, preferencesOpen } from "./open";

export interface Command {
  name: string;
  icon: IconName;
  keys?: string;
  run: () => void;
}

const isMac = navigator.platform.startsWith("Mac");
export const MOD = isMac ? "⌘" : "Ctrl";

export function startChat() {
  newConversation();
  navigate("");
  requestAnimationFrame(focusComposer);
}

function isDark(): boolean {
  if (theme.value !== "system") return theme.value === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function editLast() {
  const last = thread.value.findLast((one) => one.message.value.role === "user");
  if (last) editing.value = last.id;
}

export function commands(): Command[] {
  const list: Command[] = [
    { name: t("newChat"), icon: "plus", keys: `${MOD} ⇧ O`, run: startChat },
    { name: t("focusComposer"), icon: "edit", keys: "/", run: focusComposer },
    { name: t("goTo", { where: t("documents") }), icon: "document", run: () => navigate("documents") },
    { name: t("goTo", { where: t("images") }), icon: "image", run: () => navigate("images") },
    { name: t("settings"), icon: "sliders", run: () => (settingsOpen.value = true) },
    { name: t("preferences"), icon: "gear", keys: `${MOD} ,`, run: () => (preferencesOpen.value = true) },
    { name: t("toggleSidebar"), icon: "sidebar", keys: `${MOD} B`, run: () => (sidebarHidden.value = !sidebarHidden.value) },
    { name: t("switchTheme"), icon: "sparkle", run: () => (theme.value = isDark() ? "light" : "dark") },
    { name: t("switchLanguage"), icon: "web", run: () => (languageChoice.value = language.value === "zh" ? "en" : "zh") },
  ];
  if (isAdmin.value) {
    list.splice(4, 0, { name: t("goTo", { where: t("operations") }), icon: "chart", run: () => navigate("operations") });
  }
  if (writing.value) list.unshift({ name: t("stopAnswer"), icon: "stop", keys: "Esc", run: stopWriting });
  if (thread.value.length && !writing.value) list.splice(2, 0, { name: t("lastQuestion"), icon: "edit", keys: "↑", run: editLast });
  if (session.value?.login_required) list.push({ name: t("logout"), icon: "key", run: logout });
  return list;
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Opens the newest answer's sources, or goes on to the next of the open ones. */
function walkSources(step: number) {
  if (openedSource.value) return stepSource(step);
  const last = thread.value.findLast((one) => one.message.value.sources?.some((source) => source.n > 0));
  if (last) openSource(last, last.message.value.sources!.find((source) => source.n > 0)!.n);
}

export function onKey(event: KeyboardEvent) {
  if (document.querySelector("dialog[open]")) return;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const key = event.key.toLowerCase();
  const act = (run: () => void) => {
    event.preventDefault();
    run();
  };
  if (mod && key === "k") return act(() => (paletteOpen.value = true));
  if (mod && event.shiftKey && key === "o") return act(startChat);
  if (mod && key === "b") return act(() => (sidebarHidden.value = !sidebarHidden.value));
  if (mod && key === ",") return act(() => (preferencesOpen.value = true));
  if (event.altKey && (key === "arrowdown" || key === "arrowup")) return act(() => walkSources(key === "arrowdown" ? 1 : -1));
  if (key === "escape") {
    if (writing.value) return act(() => void stopWriting());
    if (openedSource.value) return act(closeSource);
  }
  const inEmptyBox = event.target === document.getElementById("composer") && !draft.value;
  if (key === "arrowup" && inEmptyBox && thread.value.length && !writing.value) return act(editLast);
  if (key === "/" && !isTyping(event.target)) return act(focusComposer);
}

