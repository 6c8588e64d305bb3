// The way in: a key is traded for a session.
import { useState } from "preact/hooks";
import { Mark } from "../parts/icons";
import { loggedOut, ServerError } from "../server/http";
import { login } from "../state/session";
import { t } from "../words";

export function Login() {
  const [key, setKey] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setError("");
    try {
      await login(key.trim());
    } catch (failure) {
      const wrong = failure instanceof ServerError && failure.status === 401;
      setError(wrong ? t("loginFailed") : (failure as Error).message);
    }
    setBusy(false);
  };
  return (
    <main class="login">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Mark size={44} />
        <h1>Heddle</h1>
        {loggedOut.value && <p class="state warning">{t("sessionEnded")}</p>}
        <p class="muted">
          {t("loginText")} <code>heddle keys create NAME</code>
        </p>
        <label class="field">
          <span>{t("apiKey")}</span>
          <input
            type="password"
            name="key"
            autocomplete="current-password"
            required
            autofocus
            value={key}
            aria-invalid={!!error}
            aria-describedby="login-error"
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <p id="login-error" class="error-text" role="alert">
          {error}
        </p>
        <button class="primary" disabled={busy || !key.trim()}>
          {t("login")}
        </button>
      </form>
    </main>
  );
}
