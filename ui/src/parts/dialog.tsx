// Dialogs, menus, notices and small pieces that every view uses.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { t } from "../words";
import { dismiss, notices } from "../state/notices";
import { Icon, type IconName } from "./icons";

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  kind?: "small" | "wide" | "palette";
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.kind ?? "small"}`}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && props.onClose()}
    >
      <div class="dialog-body">
        {props.kind !== "palette" && (
          <header>
            <h2>{props.title}</h2>
            <IconButton icon="close" label={t("close")} onClick={props.onClose} />
          </header>
        )}
        {props.children}
      </div>
    </dialog>
  );
}

export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick?: (event: MouseEvent) => void;
  disabled?: boolean;
  pressed?: boolean;
  size?: number;
  class?: string;
}) {
  return (
    <button
      type="button"
      class={`quiet icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} size={props.size ?? 18} />
    </button>
  );
}

interface Question {
  title: string;
  text: string;
  action: string;
  answer: (yes: boolean) => void;
}
const question = signal<Question | null>(null);

/** Asks before something is lost. */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      title,
      text,
      action,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

export function Confirmation() {
  const asked = question.value;
  if (!asked) return null;
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(false)}>
      <p>{asked.text}</p>
      <footer>
        <button type="button" onClick={() => asked.answer(false)}>
          {t("cancel")}
        </button>
        <button type="button" class="danger" autofocus onClick={() => asked.answer(true)}>
          {asked.action}
        </button>
      </footer>
    </Dialog>
  );
}

export interface MenuItem {
  icon: IconName;
  label: string;
  run: () => void;
  danger?: boolean;
}

/** A button that opens a list of actions; arrows move, Escape closes. */
export function Menu({ items, label, icon = "more" }: { items: MenuItem[]; label: string; icon?: IconName }) {
  const frame = useRef<HTMLDetailsElement>(null);
  const close = (focus: boolean) => {
    if (!frame.current?.open) return;
    frame.current.open = false;
    if (focus) frame.current.querySelector("summary")?.focus();
  };
  const buttons = () => [...(frame.current?.querySelectorAll("button") ?? [])];
  return (
    <details
      ref={frame}
      class="menu"
      onToggle={() => frame.current?.open && buttons()[0]?.focus()}
      onFocusOut={(event) => {
        if (!frame.current?.contains(event.relatedTarget as Node)) close(false);
      }}
      onKeyDown={(event) => {
        const at = buttons().indexOf(document.activeElement as HTMLButtonElement);
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") {
          event.stopPropagation();
          close(true);
        } else if (step && frame.current?.open) {
          event.preventDefault();
          buttons()[(at + step + items.length) % items.length]?.focus();
        }
      }}
    >
      <summary class="quiet icon-button" aria-label={label} title={label}>
        <Icon name={icon} />
      </summary>
      <ul>
        {items.map((item) => (
          <li key={item.label}>
            <button
              type="button"
              class={item.danger ? "quiet danger-text" : "quiet"}
              onClick={() => {
                close(true);
                item.run();
              }}
            >
              <Icon name={item.icon} size={16} />
              {item.label}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          {notice.kind === "error" && <Icon name="warning" size={16} />}
          <span>{notice.text}</span>
          <IconButton icon="close" size={14} label={t("dismiss")} onClick={() => dismiss(notice.id)} />
        </div>
      ))}
    </div>
  );
}

export function Empty(props: { icon: IconName; title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={props.icon} size={28} />
      </span>
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </div>
  );
}

export function Meter({ done, total, label }: { done: number; total: number; label: string }) {
  return total > 0 ? (
    <progress class="meter" value={done} max={total} aria-label={label} />
  ) : (
    <progress class="meter" aria-label={label} />
  );
}

export function Spinner({ label }: { label: string }) {
  return <span class="spinner" role="status" aria-label={label} />;
}
