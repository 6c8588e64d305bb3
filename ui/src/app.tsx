import { useState } from "preact/hooks";

export function App() {
  const [answer, setAnswer] = useState("");
  const ask = async (event: SubmitEvent) => {
    event.preventDefault();
    const prompt = new FormData(event.target as HTMLFormElement).get("prompt");
    const body = JSON.stringify({ prompt });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/generate/text", { method: "POST", headers, body });
    const reply = await response.json();
    setAnswer(response.ok ? reply.content : JSON.stringify(reply.detail));
  };
  return (
    <main>
      <h1>Heddle</h1>
      <form onSubmit={ask}>
        <input name="prompt" aria-label="Question" required />
        <button>Ask</button>
      </form>
      <p>{answer}</p>
    </main>
  );
}
