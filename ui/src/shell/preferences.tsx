// Look and language of this browser, and the keys of the keyboard.
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { languageChoice, theme, type LanguageChoice, type Theme } from "../state/preferences";
import { logout, session } from "../state/session";
import { t } from "../words";
import { commands, MOD } from "./commands";

export function Preferences({ onClose }: { onClose: () => void }) {
  const who = session.value;
  const keyed = commands().filter((command) => command.keys);
  return (
    <Dialog title={t("preferences")} onClose={onClose}>
      <div class="form">
        <label class="field">
          <span>{t("appearance")}</span>
          <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
            <option value="system">{t("themeSystem")}</option>
            <option value="light">{t("themeLight")}</option>
            <option value="dark">{t("themeDark")}</option>
          </select>
        </label>
        <label class="field">
          <span>{t("language")}</span>
          <select value={languageChoice.value} onChange={(event) => (languageChoice.value = event.currentTarget.value as LanguageChoice)}>
            <option value="system">{t("themeSystem")}</option>
            <option value="en">English</option>
            <option value="zh">中文</option>
          </select>
        </label>
        <div class="field">
          <span>{t("keyboard")}</span>
          <ul class="shortcuts">
            <li>
              {t("commands")} <kbd>{MOD} K</kbd>
            </li>
            {keyed.map((command) => (
              <li key={command.name}>
                {command.name} <kbd>{command.keys}</kbd>
              </li>
            ))}
            <li>
              {t("stopAnswer")} <kbd>Esc</kbd>
            </li>
            <li>
              {t("nextSource")} <kbd>Alt ↓</kbd>
            </li>
          </ul>
        </div>
        <p>
          <a href="/docs" target="_blank" rel="noopener">
            {t("interface")} <Icon name="external" size={14} />
          </a>
        </p>
      </div>
      {who?.login_required && (
        <footer>
          <span class="muted">{t("loggedInAs", { owner: who.owner, role: t(who.role === "admin" ? "roleAdmin" : "roleUser") })}</span>
          <span class="space" />
          <button type="button" onClick={logout}>
            {t("logout")}
          </button>
        </footer>
      )}
    </Dialog>
  );
}
