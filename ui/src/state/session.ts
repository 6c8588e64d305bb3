// Who uses the page.
import { batch, computed, signal } from "@preact/signals";
import { csrf, get, loggedOut, post, ServerError } from "../server/http";
import type { Model, Session } from "../server/shapes";

export const session = signal<Session | null>(null);
export const phase = signal<"starting" | "login" | "ready" | "offline">("starting");
export const isAdmin = computed(() => session.value?.role === "admin");

export const models = signal<Model[]>([]);
/** Models that answer, without those that only turn text into vectors. */
export const answering = computed(() => {
  const all = models.value.filter((m) => m.owned_by !== "heddle" || m.id.startsWith("heddle-") || m.max_model_len);
  return all.length ? all : models.value;
});
export const EXTRACTIVE = "heddle-extractive";
export const defaultModel = computed(() => models.value[0]?.id ?? "");

export async function refreshModels() {
  models.value = (await get<{ data: Model[] }>("/v1/models")).data;
}

export async function start() {
  try {
    const who = await get<Session>("/auth/session");
    batch(() => {
      session.value = who;
      csrf.value = who.csrf ?? "";
      loggedOut.value = false;
      phase.value = "ready";
    });
    await refreshModels();
  } catch (error) {
    const status = error instanceof ServerError ? error.status : 0;
    if (status === 401) phase.value = "login";
    else if (phase.value === "starting") {
      phase.value = "offline";
      setTimeout(start, 2000);
    }
  }
}

export async function login(key: string) {
  const who = await post<Session>("/auth/login", { key });
  csrf.value = who.csrf ?? "";
  await start();
}

export async function logout() {
  await post("/auth/logout").catch(() => {});
  location.reload();
}
