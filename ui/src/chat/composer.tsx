// Where questions are written. Enter sends, Shift+Enter begins a line.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../words";
import { Icon } from "../parts/icons";
import { IconButton } from "../parts/dialog";
import { addFiles } from "../documents/uploads";
import { addressesIn, shortAddress } from "./addresses";
import { SettingsDialog, ModelPicker } from "./settings";
import { ask, changeSettings, settings, stopWriting, writing } from "./thread";

/** What stands in the box; other places may put a question there. */
export const draft = signal("");
export const settingsOpen = signal(false);

export function focusComposer() {
  document.getElementById("composer")?.focus();
}

function Chips({ text }: { text: string }) {
  const found = addressesIn(text);
  if (!found.length) return null;
  return (
    <ul class="chips">
      {found.map((address) => (
        <li key={address} class="chip" title={address}>
          <Icon name="web" size={14} />
          {shortAddress(address)}
          <span class="chip-state">{settings.value.ground ? t("willBeRead") : t("urlIgnored")}</span>
        </li>
      ))}
    </ul>
  );
}

export function Composer() {
  const box = useRef<HTMLTextAreaElement>(null);
  const [sending, setSending] = useState(false);
  const isWriting = !!writing.value;
  useLayoutEffect(() => {
    const area = box.current!;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
  }, [draft.value]);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) box.current?.focus();
  }, []);
  const send = async () => {
    const text = draft.value.trim();
    if (!text || sending || isWriting) return;
    draft.value = "";
    setSending(true);
    const sent = ask(text);
    setSending(false);
    if (!(await sent) && !draft.value) draft.value = text;
  };
  const ground = settings.value.ground;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Chips text={draft.value} />
      <textarea
        id="composer"
        ref={box}
        rows={1}
        aria-label={t("message")}
        placeholder={t("askPlaceholder")}
        value={draft.value}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            void send();
          }
        }}
      />
      <div class="composer-tools">
        <label class="quiet icon-button" title={t("addDocuments")}>
          <Icon name="plus" />
          <input
            type="file"
            class="sr-only"
            multiple
            accept="application/pdf,.pdf"
            aria-label={t("addDocuments")}
            onChange={(event) => {
              addFiles([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        <button
          type="button"
          class="toggle"
          aria-pressed={ground}
          title={ground ? t("groundedOn") : t("groundedOff")}
          onClick={() => changeSettings({ ground: !ground })}
        >
          <Icon name="book" size={16} />
          {t("grounded")}
        </button>
        <IconButton icon="sliders" label={t("settings")} onClick={() => (settingsOpen.value = true)} />
        <span class="space" />
        <ModelPicker />
        {isWriting ? (
          <button type="button" class="send stop" aria-label={t("stop")} title={`${t("stop")} (Esc)`} onClick={stopWriting}>
            <Icon name="stop" />
          </button>
        ) : (
          <button class="send" aria-label={t("send")} title={t("send")} disabled={!draft.value.trim()}>
            <Icon name="send" />
          </button>
        )}
      </div>
      {settingsOpen.value && <SettingsDialog onClose={() => (settingsOpen.value = false)} />}
    </form>
  );
}
