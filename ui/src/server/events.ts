// Server-sent events of any response (WHATWG HTML, 9.2), also of a POST, which EventSource cannot
// read.
import { call } from "./http";

export interface ServerEvent {
  name: string;
  data: any;
  id: string;
}

function parse(lines: string[]): ServerEvent | null {
  const event = { name: "message", data: "", id: "" };
  const data: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.name = value;
    else if (field === "id") event.id = value;
    else if (field === "data") data.push(value);
  }
  if (!data.length) return null;
  const text = data.join("\n");
  return { ...event, data: text === "[DONE]" ? text : JSON.parse(text) };
}

export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const ends = rest.split("\n\n");
      rest = ends.pop()!;
      for (const block of ends) {
        const event = parse(block.split("\n"));
        if (event) yield event;
      }
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

export async function* listen(
  method: string,
  path: string,
  body: unknown,
  abort: AbortSignal,
): AsyncGenerator<ServerEvent> {
  yield* eventsOf(await call(method, path, body, abort));
}
