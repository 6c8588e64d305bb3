// The open conversation: its messages, what is being written, and how a lost stream is taken up.
import { batch, signal, type Signal } from "@preact/signals";
import { get, messageOf, patch, post, ServerError } from "../server/http";
import { listen, type ServerEvent } from "../server/events";
import type { AnswerSettings, Conversation, Message } from "../server/shapes";
import { defaultSettings, lastSettings } from "../state/preferences";
import { notify } from "../state/notices";
import { navigate } from "../state/route";
import { createConversation, put, refreshConversations } from "./conversations";

const PAGE = 60;
const RETRY_MS_MAX = 8000;

export interface Live {
  /** Of the events seen; sent back when the stream is taken up. */
  lastEvent: string;
  /** When the question was sent, and when text last came, in the browser's time. */
  begun: number;
  isLost: boolean;
  abort: AbortController;
}

/** One message as it is shown; its content changes while it is written. */
export interface Shown {
  id: string;
  message: Signal<Message>;
  live: Signal<Live | null>;
}

export const conversation = signal<Conversation | null>(null);
export const thread = signal<Shown[]>([]);
export const moreAbove = signal(false);
export const threadPhase = signal<"new" | "loading" | "ready" | "missing">("new");
export const settings = signal<AnswerSettings>(lastSettings.value);
/** The answer that is being written in the open conversation. */
export const writing = signal<Shown | null>(null);
/** Read to screen readers when an answer begins and ends. */
export const announcement = signal<"" | "writing" | "answerDone" | "failed">("");

function shown(message: Message): Shown {
  return { id: message.id, message: signal(message), live: signal(null) };
}

function forget() {
  for (const one of thread.value) one.live.value?.abort.abort();
}

let opening = 0;

export function newConversation() {
  opening++;
  forget();
  batch(() => {
    conversation.value = null;
    thread.value = [];
    moreAbove.value = false;
    writing.value = null;
    threadPhase.value = "new";
    settings.value = { ...defaultSettings, ...lastSettings.value };
  });
}

interface Page {
  messages: Message[];
  more: boolean;
}

const pathOf = (id: string) => `/conversations/${id}`;

export async function openConversation(id: string) {
  if (conversation.value?.id === id) return;
  const mine = ++opening;
  forget();
  batch(() => {
    thread.value = [];
    writing.value = null;
    moreAbove.value = false;
    threadPhase.value = "loading";
  });
  try {
    const [about, page] = await Promise.all([
      get<Conversation>(pathOf(id)),
      get<Page>(`${pathOf(id)}/messages?limit=${PAGE}`),
    ]);
    if (mine !== opening) return;
    batch(() => {
      conversation.value = about;
      settings.value = { ...defaultSettings, ...lastSettings.value, ...about.settings };
      showPage(page);
      threadPhase.value = "ready";
    });
    followUnfinished();
  } catch (error) {
    if (mine !== opening) return;
    threadPhase.value = "missing";
    if (!(error instanceof ServerError && error.status === 404)) notify(messageOf(error), "error");
  }
}

function showPage(page: Page) {
  thread.value = page.messages.map(shown);
  moreAbove.value = page.more;
}

/** `meanwhile` is called right before the older messages come in. */
export async function loadAbove(meanwhile: (added: number) => void) {
  const first = thread.value[0];
  const about = conversation.value;
  if (!first || !about || !moreAbove.value) return;
  const page = await get<Page>(`${pathOf(about.id)}/messages?limit=${PAGE}&before=${first.id}`);
  if (conversation.value?.id !== about.id || thread.value[0] !== first) return;
  meanwhile(page.messages.length);
  batch(() => {
    thread.value = [...page.messages.map(shown), ...thread.value];
    moreAbove.value = page.more;
  });
}

function followUnfinished() {
  for (const one of thread.value) {
    if (one.message.value.state === "running" && !one.live.value) void follow(one);
  }
}

// --- events ------------------------------------------------------------------------------------

function begin(one: Shown): Live {
  const live: Live = { lastEvent: "0", begun: performance.now(), isLost: false, abort: new AbortController() };
  one.live.value = live;
  writing.value = one;
  return live;
}

/** Text that has come is shown with the next picture of the screen, not piece by piece. */
class Flow {
  private pending = "";
  private frame = 0;
  constructor(private readonly one: Shown) {}

  add(text: string) {
    this.pending += text;
    this.frame ||= requestAnimationFrame(() => this.show());
    // A page in the background gets no pictures; its text must not pile up.
    if (document.hidden) this.show();
  }
  show() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.pending) return;
    const message = this.one.message.peek();
    this.one.message.value = { ...message, content: message.content + this.pending };
    this.pending = "";
  }
  drop() {
    this.pending = "";
    this.show();
  }
}

function change(one: Shown, to: Partial<Message>) {
  one.message.value = { ...one.message.peek(), ...to };
}

function take(one: Shown, flow: Flow, event: ServerEvent) {
  const live = one.live.peek();
  if (live && event.id) live.lastEvent = event.id;
  if (event.name === "delta") {
    if (live && !one.message.peek().first_token_ms) {
      change(one, { first_token_ms: Math.max(1, Math.round(performance.now() - live.begun)) });
    }
    flow.add(event.data.text);
    return;
  }
  flow.show();
  if (event.name === "sources") change(one, { sources: event.data.sources });
  else if (event.name === "usage") change(one, { usage: event.data });
  else if (event.name === "error") change(one, { state: "failed", error: event.data.detail });
  else if (event.name === "done") {
    change(one, { model: event.data.model, finish_reason: event.data.finish_reason });
  } else if (event.name === "restart") {
    flow.drop();
    change(one, { content: event.data.text, sources: event.data.sources });
  } else if (event.name === "saved") {
    change(one, event.data);
    end(one);
  }
}

function end(one: Shown) {
  const state = one.message.peek().state;
  batch(() => {
    one.live.value = null;
    if (writing.value === one) writing.value = null;
    announcement.value = state === "failed" ? "failed" : "answerDone";
  });
  void refreshConversations();
}

/** Takes the stream up where it was lost, for as long as the answer lives. */
async function follow(one: Shown, wait = 0): Promise<void> {
  const about = conversation.value!;
  const live = one.live.peek() ?? begin(one);
  if (wait) {
    one.live.value = { ...live, isLost: true };
    await new Promise((resume) => setTimeout(resume, wait));
    if (live.abort.signal.aborted) return;
  }
  const flow = new Flow(one);
  const path = `${pathOf(about.id)}/messages/${one.id}/events?from=${one.live.peek()?.lastEvent ?? 0}`;
  try {
    for await (const event of listen("GET", path, undefined, live.abort.signal)) {
      const now = one.live.peek();
      if (now?.isLost) one.live.value = { ...now, isLost: false };
      take(one, flow, event);
      wait = 0;
    }
  } catch (error) {
    if (live.abort.signal.aborted) return;
    if (error instanceof ServerError && !error.isOffline) {
      change(one, { state: "failed", error: error.message });
      end(one);
      return;
    }
  }
  flow.show();
  if (one.live.peek()) await follow(one, Math.min(RETRY_MS_MAX, Math.max(400, wait * 2)));
}

// --- asking ------------------------------------------------------------------------------------

function bodyOf(chosen: AnswerSettings): Record<string, unknown> {
  const body: Record<string, unknown> = { temperature: chosen.temperature, ground: chosen.ground };
  if (chosen.model) body.model = chosen.model;
  if (chosen.system.trim()) body.system = chosen.system;
  if (chosen.top_p !== 1) body.top_p = chosen.top_p;
  if (chosen.max_tokens) body.max_tokens = chosen.max_tokens;
  if (chosen.seed !== null) body.seed = chosen.seed;
  if (chosen.ground) body.collection = chosen.collection;
  if (chosen.ground && chosen.limit !== null) body.limit = chosen.limit;
  return body;
}

async function stream(body: Record<string, unknown>, keep: number) {
  const about = conversation.value!;
  const abort = new AbortController();
  const begun = performance.now();
  let one: Shown | null = null;
  let flow: Flow | null = null;
  try {
    const path = `${pathOf(about.id)}/messages`;
    for await (const event of listen("POST", path, { ...bodyOf(settings.value), ...body }, abort.signal)) {
      if (event.name === "message") {
        if (conversation.value?.id !== about.id) return abort.abort();
        const added = [event.data.question, event.data.answer].filter(Boolean).map(shown);
        one = added.at(-1)!;
        flow = new Flow(one);
        batch(() => {
          thread.value = [...thread.value.slice(0, keep), ...added];
          begin(one!).begun = begun;
          one!.live.peek()!.abort = abort;
          announcement.value = "writing";
        });
        correctSiblings(keep, event.data.question ?? event.data.answer);
        void refreshConversations();
      } else if (one && flow) take(one, flow, event);
    }
  } catch (error) {
    if (abort.signal.aborted) return;
    if (!one) throw error;
  }
  flow?.show();
  if (one?.live.peek() && !abort.signal.aborted) await follow(one, 400);
}

/** The message itself is new; what it replaced knows it now as a sibling. */
function correctSiblings(at: number, added: Message) {
  const there = thread.value[at];
  if (there && there.id === added.id) there.message.value = { ...there.message.peek(), siblings: added.siblings };
}

/** Sends a question; false when nothing came of it and the text should be kept. */
export async function ask(content: string): Promise<boolean> {
  try {
    if (!conversation.value) {
      const made = await createConversation(settings.value);
      batch(() => {
        conversation.value = made;
        threadPhase.value = "ready";
      });
      navigate(`c/${made.id}`, true);
    }
    await stream({ content }, thread.value.length);
    return true;
  } catch (error) {
    notify(messageOf(error), "error");
    return false;
  }
}

export async function askEdited(one: Shown, content: string) {
  const at = thread.value.indexOf(one);
  try {
    await stream({ content, parent: one.message.value.parent }, at);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function askAgain(one: Shown) {
  const at = thread.value.indexOf(one);
  try {
    await stream({ again: one.id }, one.message.value.role === "user" ? at + 1 : at);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function stopWriting() {
  const one = writing.value;
  const about = conversation.value;
  if (!one || !about) return;
  try {
    await post(`${pathOf(about.id)}/messages/${one.id}/stop`);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function showSibling(id: string) {
  const about = conversation.value;
  if (!about) return;
  try {
    forget();
    conversation.value = await patch<Conversation>(pathOf(about.id), { head: id });
    const page = await get<Page>(`${pathOf(about.id)}/messages?limit=${PAGE}`);
    batch(() => {
      writing.value = null;
      showPage(page);
    });
    followUnfinished();
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

export async function branchAt(one: Shown) {
  const about = conversation.value;
  if (!about) return;
  try {
    const made = await post<Conversation>(`${pathOf(about.id)}/branch`, { message: one.id });
    put(made);
    navigate(`c/${made.id}`);
  } catch (error) {
    notify(messageOf(error), "error");
  }
}

let saving = 0;
export function changeSettings(to: Partial<AnswerSettings>) {
  settings.value = { ...settings.value, ...to };
  lastSettings.value = { ...settings.value, system: "" };
  clearTimeout(saving);
  saving = window.setTimeout(() => {
    const about = conversation.value;
    if (about) void patch(pathOf(about.id), { settings: settings.value }).catch(() => {});
  }, 400);
}
