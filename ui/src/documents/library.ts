// The owner's documents and collections, and what is going on with them.
import { computed, signal } from "@preact/signals";
import { get, messageOf, put, remove, segment } from "../server/http";
import { listen } from "../server/events";
import type { Collection, Document } from "../server/shapes";
import { notify } from "../state/notices";
import { collection } from "../state/preferences";

const PAGE = 1000;
// Followed at once; a browser keeps few connections to one server.
const FOLLOWED_MAX = 3;

export const documents = signal<Document[]>([]);
export const libraryPhase = signal<"loading" | "ready" | "missing">("loading");
export const collections = signal<Collection[]>([]);
export const readyCount = computed(() => documents.value.filter((one) => one.state === "ready").length);

export const isOver = (one: Document) => one.state === "ready" || one.state === "failed";

export async function refreshDocuments() {
  try {
    let all: Document[] = [];
    for (let after = ""; ; ) {
      const query = new URLSearchParams({ limit: String(PAGE), collection: collection.value });
      if (after) query.set("after", after);
      const page = (await get<{ documents: Document[] }>(`/documents?${query}`)).documents;
      all = [...all, ...page];
      if (page.length < PAGE || all.length > 50_000) break;
      after = page.at(-1)!.id;
    }
    documents.value = all;
    libraryPhase.value = "ready";
    followUnfinished();
  } catch (error) {
    libraryPhase.value = "missing";
    notify(messageOf(error), "error");
  }
}

export async function refreshCollections() {
  try {
    collections.value = (await get<{ collections: Collection[] }>("/collections")).collections;
  } catch {
    collections.value = [];
  }
}

function replace(changed: Document) {
  const there = documents.value.some((one) => one.id === changed.id);
  documents.value = there
    ? documents.value.map((one) => (one.id === changed.id ? changed : one))
    : [changed, ...documents.value];
}

const followed = new Set<string>();

/** The oldest unfinished ones are being worked on; the others wait their turn. */
export function followUnfinished() {
  const waiting = documents.value.filter((one) => !isOver(one) && !followed.has(one.id)).reverse();
  for (const one of waiting) {
    if (followed.size >= FOLLOWED_MAX) break;
    followed.add(one.id);
    void follow(one.id);
  }
}

async function follow(id: string) {
  try {
    for await (const event of listen("GET", `/documents/${id}/events`, undefined, new AbortController().signal)) {
      if (event.name === "document") replace(event.data);
    }
  } catch {
    await new Promise((resume) => setTimeout(resume, 1500));
  }
  followed.delete(id);
  // A file of the same name is replaced when the new one is ready, so the list may have changed.
  const now = documents.value.find((one) => one.id === id);
  if (now?.state === "ready") void refreshDocuments();
  else followUnfinished();
}

export async function added(id: string) {
  try {
    const one = await get<Document>(`/documents/${id}`);
    if (one.collection !== collection.value) return;
    replace(one);
    followUnfinished();
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function deleteDocument(id: string) {
  try {
    await remove(`/documents/${id}`);
    documents.value = documents.value.filter((one) => one.id !== id);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function makeCollection(name: string) {
  try {
    await put(`/collections/${segment(name)}`);
    await refreshCollections();
    collection.value = name;
    await refreshDocuments();
    return true;
  } catch (error) {
    notify(messageOf(error), "error");
    return false;
  }
}

export async function deleteCollection(name: string) {
  try {
    await remove(`/collections/${segment(name)}`);
    collection.value = "knowledgebase";
    await Promise.all([refreshCollections(), refreshDocuments()]);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}
