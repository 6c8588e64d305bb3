// Calls to the server: JSON in and out, the session's proof with unsafe methods, and one kind of
// error. The page talks to the origin it came from and to nothing else.
import { signal } from "@preact/signals";

export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
  /** The connection failed: nothing was answered. */
  get isOffline() {
    return this.status === 0;
  }
}

/** Sent back with unsafe methods while logged in. */
export const csrf = signal("");
/** Set when an answer says that the session has ended. */
export const loggedOut = signal(false);

/** pydantic's list of fields, OpenAI's object, or a sentence. */
export function detailOf(status: number, body: unknown): string {
  const { detail, error } = (body ?? {}) as Record<string, any>;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail) && detail[0]) {
    const field = detail[0].loc?.slice(1).join(".");
    return field ? `${field}: ${detail[0].msg}` : String(detail[0].msg);
  }
  if (typeof error?.message === "string") return error.message;
  return `HTTP ${status}`;
}

async function failure(response: Response): Promise<ServerError> {
  const body = await response.json().catch(() => null);
  if (response.status === 401) loggedOut.value = true;
  return new ServerError(response.status, detailOf(response.status, body));
}

export function headersFor(method: string, body?: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf.value) headers["X-CSRF-Token"] = csrf.value;
  return headers;
}

export async function call(
  method: string,
  path: string,
  body?: unknown,
  abort?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: headersFor(method, body),
      body: body === undefined ? null : JSON.stringify(body),
      signal: abort ?? null,
    });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ServerError(0, "offline");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function json<T>(response: Promise<Response>): Promise<T> {
  const reply = await response;
  return reply.status === 204 ? (undefined as T) : ((await reply.json()) as T);
}

export const get = <T>(path: string, abort?: AbortSignal) =>
  json<T>(call("GET", path, undefined, abort));
export const post = <T>(path: string, body: unknown = {}) => json<T>(call("POST", path, body));
export const put = <T>(path: string, body: unknown = {}) => json<T>(call("PUT", path, body));
export const patch = <T>(path: string, body: unknown) => json<T>(call("PATCH", path, body));
export const remove = (path: string) => json<void>(call("DELETE", path));

export const segment = encodeURIComponent;

/** What to tell a person. */
export const messageOf = (error: unknown) =>
  error instanceof Error ? error.message : String(error);
