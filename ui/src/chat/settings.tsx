// Which model answers, and how.
import { t, type Word } from "../words";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { answering, defaultModel, EXTRACTIVE } from "../state/session";
import { defaultSettings } from "../state/preferences";
import { collections } from "../documents/library";
import { changeSettings, settings } from "./thread";

export function ModelPicker() {
  const chosen = settings.value.model;
  const known = answering.value.some((model) => model.id === chosen);
  return (
    <span class="picker">
      <select
        aria-label={t("model")}
        value={known ? chosen : defaultModel.value}
        onChange={(event) => changeSettings({ model: event.currentTarget.value })}
      >
        {answering.value.map((model) => (
          <option key={model.id} value={model.id}>
            {model.id === EXTRACTIVE ? `${model.id} (${t("kindExtractive")})` : model.id}
          </option>
        ))}
      </select>
      <Icon name="down" size={14} />
    </span>
  );
}

function NumberField(props: {
  label: Word;
  hint?: Word;
  value: number | null;
  min: number;
  max: number;
  onChange: (value: number | null) => void;
}) {
  return (
    <label class="field">
      <span>{t(props.label)}</span>
      <input
        type="number"
        inputMode="numeric"
        min={props.min}
        max={props.max}
        value={props.value ?? ""}
        onChange={(event) => {
          const { value, valueAsNumber } = event.currentTarget;
          const inside = valueAsNumber >= props.min && valueAsNumber <= props.max;
          props.onChange(value !== "" && inside ? Math.round(valueAsNumber) : null);
        }}
      />
      {props.hint && <small>{t(props.hint)}</small>}
    </label>
  );
}

function Range(props: { label: Word; hint?: Word; value: number; max: number; onChange: (value: number) => void }) {
  return (
    <label class="field">
      <span>
        {t(props.label)} <span class="range-value">{props.value.toFixed(2)}</span>
      </span>
      <input
        type="range"
        min={0}
        max={props.max}
        step={0.05}
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)}
      />
      {props.hint && <small>{t(props.hint)}</small>}
    </label>
  );
}

export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const now = settings.value;
  return (
    <Dialog title={t("settings")} onClose={onClose}>
      <div class="form">
        <label class="field">
          <span>{t("systemPrompt")}</span>
          <textarea
            rows={4}
            value={now.system}
            placeholder={t("systemPromptHint")}
            onInput={(event) => changeSettings({ system: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>{t("collection")}</span>
          <select value={now.collection} onChange={(event) => changeSettings({ collection: event.currentTarget.value })}>
            {[...new Set([now.collection, ...collections.value.map((one) => one.name)])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Range label="temperature" hint="temperatureHint" value={now.temperature} max={2} onChange={(temperature) => changeSettings({ temperature })} />
        <Range label="topP" value={now.top_p} max={1} onChange={(top_p) => changeSettings({ top_p })} />
        <div class="pair">
          <NumberField label="maxTokens" hint="maxTokensHint" value={now.max_tokens} min={1} max={1_000_000} onChange={(max_tokens) => changeSettings({ max_tokens })} />
          <NumberField label="seed" hint="seedHint" value={now.seed} min={0} max={2 ** 31} onChange={(seed) => changeSettings({ seed })} />
        </div>
        <NumberField label="passages" hint="passagesHint" value={now.limit} min={0} max={50} onChange={(limit) => changeSettings({ limit })} />
      </div>
      <footer>
        <button type="button" onClick={() => changeSettings({ ...defaultSettings, model: now.model, collection: now.collection })}>
          {t("restoreDefaults")}
        </button>
        <button type="button" class="primary" onClick={onClose}>
          {t("close")}
        </button>
      </footer>
    </Dialog>
  );
}
