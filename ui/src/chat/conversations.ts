// The list of conversations in the sidebar.
import { signal } from "@preact/signals";
import { get, messageOf, patch, post, remove } from "../server/http";
import type { AnswerSettings, Conversation } from "../server/shapes";
import { notify } from "../state/notices";

const PAGE = 50;

export const conversations = signal<Conversation[]>([]);
export const moreConversations = signal(false);
export const searchWords = signal("");
export const listPhase = signal<"loading" | "ready" | "missing">("loading");

let asked = 0;

async function load(after: string): Promise<Conversation[]> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (searchWords.value) query.set("q", searchWords.value);
  if (after) query.set("after", after);
  return (await get<{ conversations: Conversation[] }>(`/conversations?${query}`)).conversations;
}

export async function refreshConversations() {
  const mine = ++asked;
  try {
    const list = await load("");
    if (mine !== asked) return;
    conversations.value = list;
    moreConversations.value = list.length === PAGE;
    listPhase.value = "ready";
  } catch {
    listPhase.value = "missing";
  }
}

export async function loadMoreConversations() {
  const last = conversations.value.at(-1);
  if (!last) return;
  const next = await load(last.id);
  conversations.value = [...conversations.value, ...next];
  moreConversations.value = next.length === PAGE;
}

let timer = 0;
export function searchConversations(words: string) {
  searchWords.value = words;
  clearTimeout(timer);
  timer = window.setTimeout(refreshConversations, 180);
}

export function put(conversation: Conversation) {
  if (searchWords.value) return;
  const others = conversations.value.filter((one) => one.id !== conversation.id);
  conversations.value = [conversation, ...others];
}

export async function createConversation(settings: Partial<AnswerSettings>): Promise<Conversation> {
  const made = await post<Conversation>("/conversations", { settings });
  put(made);
  return made;
}

export async function renameConversation(id: string, title: string) {
  try {
    const changed = await patch<Conversation>(`/conversations/${id}`, { title });
    conversations.value = conversations.value.map((one) => (one.id === id ? { ...one, title: changed.title } : one));
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function deleteConversation(id: string) {
  await remove(`/conversations/${id}`);
  conversations.value = conversations.value.filter((one) => one.id !== id);
}
