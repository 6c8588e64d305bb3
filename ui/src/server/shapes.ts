// What the server sends, as /openapi.json describes it.

export interface Source {
  n: number;
  kind: "document" | "web";
  title: string;
  snippet: string;
  document?: string;
  url?: string;
  page?: number;
  page_end?: number;
  score?: number;
  retrieved_ms?: number;
  chunk?: string;
  error?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export type MessageState = "done" | "running" | "stopped" | "failed" | "interrupted";

export interface Message {
  id: string;
  parent: string;
  role: "user" | "assistant" | "system" | "tool";
  content: string;
  state: MessageState;
  created_ms: number;
  siblings: string[];
  model?: string;
  sources?: Source[];
  usage?: Usage;
  first_token_ms?: number;
  duration_ms?: number;
  finish_reason?: string;
  error?: string;
}

export interface Conversation {
  id: string;
  title: string;
  head: string;
  settings: Partial<AnswerSettings>;
  messages: number;
  created_ms: number;
  updated_ms: number;
  hit?: { message: string; snippet: string };
}

export interface AnswerSettings {
  model: string;
  system: string;
  temperature: number;
  top_p: number;
  max_tokens: number | null;
  seed: number | null;
  ground: boolean;
  collection: string;
  limit: number | null;
}

export interface Model {
  id: string;
  owned_by: string;
  max_model_len?: number;
}

export interface Session {
  owner: string;
  role: "admin" | "user";
  login_required?: boolean;
  csrf?: string;
}

export type DocumentState = "queued" | "extracting" | "embedding" | "ready" | "failed";

export interface Document {
  id: string;
  collection: string;
  name: string;
  title: string;
  content_type: string;
  bytes: number;
  state: DocumentState;
  progress: { done: number; total: number };
  pages: number;
  chunks: number;
  created_ms: number;
  updated_ms: number;
  pages_without_text?: number[];
  hidden_characters?: number;
  error?: string;
  retryable?: boolean;
}

export interface Passage {
  id?: string;
  chunk?: string;
  document: string;
  text: string;
  title?: string;
  heading_path?: string;
  page?: number;
  page_end?: number;
  score: number;
}

export interface Chunk {
  id: string;
  document: string;
  ordinal: number;
  text: string;
  heading_path: string;
  page: number;
  page_end: number;
}

export interface Collection {
  name: string;
  documents?: number;
  chunks?: number;
}

export interface Job {
  id: string;
  state: string;
  kind?: string;
  /** Of pictures: how many are done, and how far the others are. */
  progress?: {
    done?: number;
    count?: number;
    images?: { number: number; step: number; steps: number }[];
    preview?: { number: number; url: string };
  } | null;
  result?: { images?: Picture[] } | null;
  error?: string;
  created_ms?: number;
  [more: string]: unknown;
}

export interface Picture {
  job: string;
  number: number;
  prompt?: string;
  negative_prompt?: string;
  seed?: number;
  size?: number | string;
  steps?: number;
}

export interface Key {
  id: string;
  owner: string;
  label: string;
  role: "admin" | "user";
  created_ms: number;
  revoked_ms?: number;
}

export interface ModelStatus {
  id: string;
  kind: "local" | "upstream" | "extractive" | "embedder";
  loaded: boolean;
  can_change: boolean;
  memory_bytes: number;
  context_tokens?: number;
}

export interface LogLine {
  at_ms: number;
  level: "warning" | "error";
  room: string;
  message: string;
  fields: Record<string, string>;
}
