// Conversations by their last use, and the ways to the other views.
import { useEffect, useState } from "preact/hooks";
import type { Conversation } from "../server/shapes";
import {
  conversations, deleteConversation, listPhase, loadMoreConversations, moreConversations,
  refreshConversations, renameConversation, searchConversations, searchWords,
} from "../chat/conversations";
import { conversation as opened, newConversation } from "../chat/thread";
import { confirm, IconButton, Menu } from "../parts/dialog";
import { Icon, Mark, type IconName } from "../parts/icons";
import { sidebarHidden } from "../state/preferences";
import { route, type View } from "../state/route";
import { isAdmin } from "../state/session";
import { messageOf } from "../server/http";
import { notify } from "../state/notices";
import { t, type Word } from "../words";
import { MOD, startChat } from "./commands";
import { drawerOpen, paletteOpen, preferencesOpen } from "./open";

const DAY = 86_400_000;

function groupOf(ms: number): Word {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (ms >= midnight) return "today";
  if (ms >= midnight - DAY) return "yesterday";
  return ms >= midnight - 6 * DAY ? "thisWeek" : "earlier";
}

function Entry({ one }: { one: Conversation }) {
  const [naming, setNaming] = useState(false);
  const isOpen = route.value.view === "chat" && route.value.id === one.id;
  const title = one.title || t("untitled");
  const askDelete = async () => {
    const text = t("deleteChatText", { title, n: one.messages });
    if (!(await confirm(t("deleteChat"), text, t("delete")))) return;
    try {
      await deleteConversation(one.id);
      if (opened.value?.id === one.id) startChat();
    } catch (error) {
      notify(messageOf(error), "error");
    }
  };
  if (naming) {
    const done = (event: { currentTarget: HTMLInputElement }) => {
      setNaming(false);
      const name = event.currentTarget.value.trim();
      if (name && name !== one.title) void renameConversation(one.id, name);
    };
    return (
      <li>
        <input
          class="rename"
          autofocus
          aria-label={t("title")}
          defaultValue={one.title}
          maxLength={120}
          onBlur={done}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.isComposing) event.currentTarget.blur();
            if (event.key === "Escape") setNaming(false);
          }}
        />
      </li>
    );
  }
  return (
    <li class={isOpen ? "entry open" : "entry"}>
      <a href={`#/c/${one.id}`} aria-current={isOpen ? "page" : undefined} onClick={() => (drawerOpen.value = false)} title={title}>
        <span class="entry-title">{title}</span>
        {one.hit && <span class="entry-snippet">{one.hit.snippet}</span>}
      </a>
      <Menu
        label={`${t("more")}: ${title}`}
        items={[
          { icon: "edit", label: t("rename"), run: () => setNaming(true) },
          { icon: "download", label: t("exportMarkdown"), run: () => location.assign(`/conversations/${one.id}/export`) },
          { icon: "download", label: t("exportJson"), run: () => location.assign(`/conversations/${one.id}/export?format=json`) },
          { icon: "trash", label: t("delete"), danger: true, run: askDelete },
        ]}
      />
    </li>
  );
}

function List() {
  const groups = new Map<Word, Conversation[]>();
  for (const one of conversations.value) {
    const group = searchWords.value ? "search" : groupOf(one.updated_ms);
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  if (listPhase.value === "ready" && !conversations.value.length) {
    const text = searchWords.value ? t("noHits", { words: searchWords.value }) : t("noChats");
    return <p class="muted sidebar-note">{text}</p>;
  }
  return (
    <>
      {[...groups].map(([group, list]) => (
        <section key={group} aria-label={t(group)}>
          <h2>{t(group)}</h2>
          <ul>
            {list.map((one) => (
              <Entry key={one.id} one={one} />
            ))}
          </ul>
        </section>
      ))}
      {moreConversations.value && (
        <button type="button" class="quiet small" onClick={loadMoreConversations}>
          {t("loadMore")}
        </button>
      )}
    </>
  );
}

function Way({ view, icon, label }: { view: View; icon: IconName; label: string }) {
  const isHere = route.value.view === view;
  return (
    <a href={`#/${view}`} class={isHere ? "way here" : "way"} aria-current={isHere ? "page" : undefined} onClick={() => (drawerOpen.value = false)}>
      <Icon name={icon} />
      {label}
    </a>
  );
}

export function Sidebar() {
  useEffect(() => void refreshConversations(), []);
  return (
    <nav class="sidebar" aria-label={t("menu")}>
      <header>
        <a href="#/" class="brand" onClick={() => newConversation()}>
          <Mark />
          Heddle
        </a>
        <IconButton
          icon="sidebar"
          label={t("toggleSidebar")}
          onClick={() => {
            if (drawerOpen.value) drawerOpen.value = false;
            else sidebarHidden.value = true;
          }}
        />
      </header>
      <button
        type="button"
        class="new-chat"
        onClick={() => {
          drawerOpen.value = false;
          startChat();
        }}
      >
        <Icon name="plus" />
        {t("newChat")}
      </button>
      <div class="ways">
        <Way view="documents" icon="document" label={t("documents")} />
        <Way view="images" icon="image" label={t("images")} />
        {isAdmin.value && <Way view="operations" icon="chart" label={t("operations")} />}
      </div>
      <div class="search-box">
        <Icon name="search" size={16} />
        <input
          type="search"
          placeholder={t("searchChats")}
          aria-label={t("searchChats")}
          value={searchWords.value}
          onInput={(event) => searchConversations(event.currentTarget.value)}
        />
      </div>
      <div class="entries" tabIndex={-1}>
        <List />
      </div>
      <footer>
        <button type="button" class="quiet" onClick={() => (paletteOpen.value = true)}>
          <Icon name="command" size={16} />
          {t("commands")} <kbd>{MOD} K</kbd>
        </button>
        <IconButton icon="gear" label={t("preferences")} onClick={() => (preferencesOpen.value = true)} />
      </footer>
    </nav>
  );
}
