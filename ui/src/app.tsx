// The frame of the page: sidebar, the view in use, and what lies above them.
import { signal, untracked, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { conversation, newConversation, openConversation } from "./chat/thread";
import { conversations } from "./chat/conversations";
import { Chat } from "./chat/view";
import { refreshCollections } from "./documents/library";
import { addFiles } from "./documents/uploads";
import { Documents } from "./documents/view";
import { Images } from "./images/view";
import { Operations } from "./operations/view";
import { Confirmation, IconButton, Notices, Spinner } from "./parts/dialog";
import { Icon } from "./parts/icons";
import { loggedOut } from "./server/http";
import { onKey, startChat } from "./shell/commands";
import { Login } from "./shell/login";
import { drawerOpen, paletteOpen, preferencesOpen } from "./shell/open";
import { Palette } from "./shell/palette";
import { Preferences } from "./shell/preferences";
import { Sidebar } from "./shell/sidebar";
import { openedSource, SourcePane } from "./sources/pane";
import { sidebarHidden } from "./state/preferences";
import { navigate, route } from "./state/route";
import { phase } from "./state/session";
import { t } from "./words";

const dragging = signal(false);

const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

function useDrops() {
  useEffect(() => {
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (carriesFiles(event) && ++depth === 1) dragging.value = true;
    };
    const leave = (event: DragEvent) => {
      if (carriesFiles(event) && --depth <= 0) {
        depth = 0;
        dragging.value = false;
      }
    };
    const over = (event: DragEvent) => carriesFiles(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      dragging.value = false;
      addFiles([...event.dataTransfer!.files]);
      navigate("documents");
    };
    const all = { dragenter: enter, dragleave: leave, dragover: over, drop, keydown: onKey } as Record<string, any>;
    for (const [name, handler] of Object.entries(all)) addEventListener(name, handler);
    return () => {
      for (const [name, handler] of Object.entries(all)) removeEventListener(name, handler);
    };
  }, []);
}

/** As the list has it: it is made from the first question, and may be changed there. */
function titleOfOpen(): string {
  const open = conversation.value;
  if (!open) return "";
  return conversations.value.find((one) => one.id === open.id)?.title ?? open.title;
}

function TopBar() {
  const title = route.value.view === "chat" ? titleOfOpen() : "";
  return (
    <header class="top">
      <IconButton icon="menu" class="only-narrow" label={t("menu")} onClick={() => (drawerOpen.value = true)} />
      {sidebarHidden.value && (
        <IconButton icon="sidebar" class="only-wide" label={t("toggleSidebar")} onClick={() => (sidebarHidden.value = false)} />
      )}
      {title ? <h1 class="top-title">{title}</h1> : <span class="space" />}
      <IconButton icon="plus" class={sidebarHidden.value ? "" : "only-narrow"} label={t("newChat")} onClick={startChat} />
    </header>
  );
}

function Shell() {
  useDrops();
  const main = useRef<HTMLElement>(null);
  useEffect(() => void refreshCollections(), []);
  useSignalEffect(() => {
    const { view, id } = route.value;
    if (view !== "chat") return;
    // Only the address decides: what opening reads must not open again when it changes.
    untracked(() => {
      if (id) void openConversation(id);
      else if (conversation.value) newConversation();
    });
  });
  const { view } = route.value;
  useEffect(() => {
    openedSource.value = null;
  }, [view, conversation.value?.id]);
  const name = view === "chat" ? titleOfOpen() : t(view);
  useEffect(() => {
    document.title = name ? `${name} – Heddle` : "Heddle";
  }, [name]);
  const layout = ["shell"];
  if (sidebarHidden.value) layout.push("no-sidebar");
  if (drawerOpen.value) layout.push("drawer");
  if (openedSource.value && view === "chat") layout.push("with-pane");
  return (
    <div class={layout.join(" ")}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t("skip")}
      </a>
      <Sidebar />
      <button type="button" class="scrim" aria-label={t("close")} tabIndex={-1} onClick={() => (drawerOpen.value = false)} />
      <main ref={main} id="main" tabIndex={-1}>
        <TopBar />
        {view === "chat" && <Chat />}
        {view === "documents" && <Documents />}
        {view === "images" && <Images />}
        {view === "operations" && <Operations />}
      </main>
      {view === "chat" && <SourcePane />}
      {dragging.value && (
        <div class="drop-hint">
          <Icon name="upload" size={32} />
          {t("dropHere")}
        </div>
      )}
      {paletteOpen.value && <Palette />}
      {preferencesOpen.value && <Preferences onClose={() => (preferencesOpen.value = false)} />}
    </div>
  );
}

export function App() {
  const now = phase.value;
  const isOut = now === "login" || (now === "ready" && loggedOut.value);
  return (
    <>
      {now === "starting" && (
        <main class="login">
          <Spinner label={t("loading")} />
        </main>
      )}
      {now === "offline" && (
        <main class="login">
          <p class="muted">
            <Spinner label={t("loading")} /> {t("offline")}
          </p>
        </main>
      )}
      {isOut && <Login />}
      {now === "ready" && !isOut && <Shell />}
      <Confirmation />
      <Notices />
    </>
  );
}
