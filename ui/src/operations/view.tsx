// Operations: live figures, models, keys, recent errors. For administrators.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, messageOf, post, remove } from "../server/http";
import type { Key, LogLine, ModelStatus } from "../server/shapes";
import { Icon } from "../parts/icons";
import { confirm, Dialog, Empty, Spinner } from "../parts/dialog";
import { CopyButton } from "../text/code";
import { notify } from "../state/notices";
import { isAdmin, login, refreshModels, session } from "../state/session";
import { ago, bytes, number, t, time } from "../words";
import { points, watchFigures, type Point } from "./figures";
import { Plot } from "./plot";

const seconds = (value: number) => (value < 1 ? `${number(value * 1000)} ms` : `${number(value, 2)} s`);
const percent = (value: number) => `${number(value * 100, 1)} %`;
const plain = (value: number) => number(value, value < 10 ? 1 : 0);

function Figures() {
  useEffect(watchFigures, []);
  const all = points.value;
  const times = all.map((point) => point.at);
  const line = (name: string, of: (point: Point) => number | null) => ({ name, values: all.map(of) });
  const none = t("noFigures");
  return (
    <section class="plots" aria-label={t("operations")}>
      <Plot title={t("running")} times={times} none={none} format={plain} lines={[line(t("running"), (p) => p.running), line(t("waiting"), (p) => p.waiting)]} />
      <Plot title={t("tokensWritten")} times={times} none={none} format={plain} lines={[line("", (p) => p.tokens)]} />
      <Plot wide title={t("ttft")} times={times} none={none} format={seconds} lines={[line(t("median"), (p) => p.first50), line(t("p95"), (p) => p.first95)]} />
      <Plot title={t("requests")} times={times} none={none} format={plain} lines={[line("", (p) => p.requests)]} />
      <Plot title={t("kvUse")} times={times} none={none} format={percent} most={1} lines={[line("", (p) => p.kv)]} />
      <Plot title={t("cacheHits")} times={times} none={none} format={percent} most={1} lines={[line("", (p) => p.hits)]} />
      <Plot title={t("jobsNow")} times={times} none={none} format={plain} lines={[line("", (p) => p.jobs)]} />
    </section>
  );
}

const KINDS = { local: "kindLocal", upstream: "kindUpstream", extractive: "kindExtractive", embedder: "kindEmbedder" } as const;

function Models() {
  const list = useSignal<{ models: ModelStatus[]; resident_bytes?: number } | null>(null);
  const busy = useSignal("");
  const refresh = () => get<{ models: ModelStatus[] }>("/admin/models").then((reply) => (list.value = reply), () => {});
  useEffect(() => void refresh(), []);
  const change = async (model: ModelStatus) => {
    busy.value = model.id;
    try {
      await post(`/admin/models/${model.loaded ? "unload" : "load"}`, { model: model.id });
      await refreshModels();
    } catch (error) {
      notify(messageOf(error), "error");
    }
    busy.value = "";
    await refresh();
  };
  return (
    <section class="panel">
      <h2>{t("modelsLoaded")}</h2>
      {list.value?.resident_bytes && (
        <p class="muted">
          {t("memory")}: {bytes(list.value.resident_bytes)}
        </p>
      )}
      {!list.value && <Spinner label={t("loading")} />}
      <ul class="lines">
        {list.value?.models.map((model) => (
          <li key={model.id}>
            <div>
              <strong class="break">{model.id}</strong>
              <small class="muted">
                {t(KINDS[model.kind])}
                {model.context_tokens ? ` · ${t("tokensWindow", { n: number(model.context_tokens) })}` : ""}
                {model.memory_bytes ? ` · ${bytes(model.memory_bytes)}` : ""}
                {model.loaded ? "" : ` · ${t("notLoaded")}`}
              </small>
            </div>
            {model.can_change && (
              <button type="button" class="small" disabled={busy.value === model.id} onClick={() => change(model)}>
                {busy.value === model.id ? t("loading") : model.loaded ? t("unload") : t("load")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function NewKey({ onClose }: { onClose: () => void }) {
  const owner = useSignal(session.value?.login_required ? "" : (session.value?.owner ?? ""));
  const label = useSignal("");
  const isFirst = !session.value?.login_required;
  const role = useSignal<"user" | "admin">(isFirst ? "admin" : "user");
  const made = useSignal("");
  const create = async () => {
    try {
      const body = { owner: owner.value, label: label.value || owner.value, role: role.value };
      made.value = (await post<{ key: string }>("/admin/keys", body)).key;
      // The server is closed from here on; whoever made the key goes on with it.
      if (isFirst) await login(made.value);
    } catch (error) {
      notify(messageOf(error), "error");
    }
  };
  if (made.value) {
    return (
      <Dialog title={t("newKey")} onClose={onClose}>
        <p>{t("keyOnce")}</p>
        <p class="key">
          <code>{made.value}</code> <CopyButton text={() => made.value} label={t("copy")} />
        </p>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("newKey")} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        {isFirst && (
          <p class="state warning">
            <Icon name="warning" size={16} /> {t("firstKeyText")}
          </p>
        )}
        <label class="field">
          <span>{t("owner")}</span>
          <input type="text" required maxLength={100} value={owner.value} autofocus onInput={(event) => (owner.value = event.currentTarget.value)} />
          <small>{t("ownerHint")}</small>
        </label>
        <label class="field">
          <span>{t("label")}</span>
          <input type="text" maxLength={100} value={label.value} onInput={(event) => (label.value = event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t("role")}</span>
          <select value={role.value} disabled={isFirst} onChange={(event) => (role.value = event.currentTarget.value as "user" | "admin")}>
            <option value="user">{t("roleUser")}</option>
            <option value="admin">{t("roleAdmin")}</option>
          </select>
        </label>
        <footer>
          <button class="primary">{t("newKey")}</button>
        </footer>
      </form>
    </Dialog>
  );
}

function Keys() {
  const list = useSignal<Key[] | null>(null);
  const making = useSignal(false);
  const refresh = () => get<{ keys: Key[] }>("/admin/keys").then((reply) => (list.value = reply.keys), () => (list.value = []));
  useEffect(() => void refresh(), []);
  const revoke = async (key: Key) => {
    if (!(await confirm(t("revokeKey", { label: key.label }), t("revokeKeyText"), t("revoke")))) return;
    await remove(`/admin/keys/${key.id}`).catch((error) => notify(messageOf(error), "error"));
    await refresh();
  };
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>{t("keys")}</h2>
        <button type="button" class="small" onClick={() => (making.value = true)}>
          {t("newKey")}
        </button>
      </div>
      {list.value && !list.value.length && <p class="muted">{t("keysNone")}</p>}
      <ul class="lines">
        {list.value?.map((key) => (
          <li key={key.id} class={key.revoked_ms ? "over" : ""}>
            <div>
              <strong>{key.label}</strong>
              <small class="muted">
                {key.owner} · {t(key.role === "admin" ? "roleAdmin" : "roleUser")} · {ago(key.created_ms)}
                {key.revoked_ms ? ` · ${t("revoked")}` : ""}
              </small>
            </div>
            {!key.revoked_ms && (
              <button type="button" class="small danger" onClick={() => revoke(key)}>
                {t("revoke")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {making.value && (
        <NewKey
          onClose={() => {
            making.value = false;
            void refresh();
          }}
        />
      )}
    </section>
  );
}

function Errors() {
  const list = useSignal<LogLine[]>([]);
  useEffect(() => {
    const read = () => get<{ errors: LogLine[] }>("/admin/errors").then((reply) => (list.value = reply.errors), () => {});
    void read();
    const timer = setInterval(read, 5000);
    return () => clearInterval(timer);
  }, []);
  return (
    <section class="panel wide">
      <h2>{t("recentErrors")}</h2>
      {!list.value.length && <p class="muted">{t("noErrors")}</p>}
      <ul class="lines log">
        {list.value.slice(0, 50).map((line, i) => (
          <li key={i}>
            <div>
              <span class={line.level === "error" ? "error-text" : "warning-text"}>
                <Icon name="warning" size={14} /> {line.room}: {line.message}
              </span>
              <small class="muted" title={time(line.at_ms)}>
                {ago(line.at_ms)}
                {Object.entries(line.fields).map(([name, value]) => ` · ${name}=${value}`)}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Operations() {
  if (!isAdmin.value) {
    return (
      <div class="page" tabIndex={-1}>
        <Empty icon="key" title={t("operations")} text={t("adminOnly")} />
      </div>
    );
  }
  return (
    <div class="page" data-scroller tabIndex={-1}>
      <div class="page-inner wide">
        <header class="page-head">
          <h1>{t("operations")}</h1>
        </header>
        <Figures />
        <div class="panels">
          <Models />
          <Keys />
          <Errors />
        </div>
      </div>
    </div>
  );
}
