#!/usr/bin/env python3
"""Plays an OpenAI-compatible model server, with settable speed, pauses and failures.

Run:  scripted_upstream.py [--port 0] [--tokens 20] [--delay-ms 5 | --rate 200]
It prints `listening on PORT`. What it does is chosen by the model's name:

  scripted        answers "You asked: …" word by word, citing [1] when it was given sources
  slow            the same with 200 ms between the words
  stall           three words, then silence
  break           three words, then the connection is cut
  break-early     cuts the connection before the head
  mid-error       three words, then an error event
  no-finish       all words, but neither a finish reason nor [DONE]
  garbage         events that are not JSON
  plain           ignores "stream" and answers with one JSON body
  status-NNN      that status (429 with Retry-After: 1)
  flaky-N         503 for the first N calls with the same prompt, then like scripted
  needs-key       401 unless the bearer token is "upstream-key"

POST /script {"reply": "…"} makes `scripted` answer with that text; GET /log lists the calls seen and
how they ended. Standard library only.
"""

import argparse
import asyncio
import json
import sys

MODELS = ["scripted", "slow", "stall", "break", "break-early", "mid-error", "no-finish",
          "garbage", "plain", "needs-key"]


class Server:
    def __init__(self, tokens, delay_ms, rate):
        self.tokens = tokens
        self.delay_s = delay_ms / 1000
        self.rate = rate
        self.reply = None
        self.log = []
        self.seen = {}

    async def serve_connection(self, reader, writer):
        try:
            while await self.serve_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()

    async def serve_request(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        headers = {f.split(":", 1)[0].lower(): f.split(":", 1)[1].strip() for f in fields if f}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = target.split("?")[0]
        if path == "/v1/models":
            return self.send_json(writer, 200, {"object": "list", "data": [
                {"id": m, "object": "model", "created": 1700000000, "owned_by": "scripted",
                 "max_model_len": 8192} for m in MODELS]})
        if path == "/v1/chat/completions" and method == "POST":
            return await self.chat(writer, headers, json.loads(body))
        if path == "/v1/embeddings" and method == "POST":
            inputs = json.loads(body)["input"]
            return self.send_json(writer, 200, {"object": "list", "data": [
                {"index": i, "embedding": [float(len(t)), 1.0, 0.5]}
                for i, t in enumerate(inputs)], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        if path == "/script":
            self.reply = json.loads(body)["reply"]
            return self.send_json(writer, 200, {})
        if path == "/log":
            return self.send_json(writer, 200, self.log)
        return self.send_json(writer, 404, {"error": {"message": "no such path"}})

    @staticmethod
    def send_json(writer, status, value, extra=""):
        data = json.dumps(value).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        return True

    def words_for(self, call):
        if self.reply is not None:
            return self.reply.split(" ")
        question = call["messages"][-1]["content"]
        cited = " [1]" if "<source n=\"1\"" in question else ""
        question = question.split("Question: ")[-1]
        words = f"You asked: {question[:200]}{cited}".split(" ")
        return words + ["word"] * max(0, min(self.tokens, call.get("max_tokens", 10**6)) - len(words))

    async def chat(self, writer, headers, call):
        model = call["model"]
        entry = {"model": model, "messages": call["messages"], "ended": "open",
                 "temperature": call.get("temperature")}
        self.log.append(entry)
        if model == "break-early":
            writer.transport.abort()
            return False
        if model == "needs-key" and headers.get("authorization") != "Bearer upstream-key":
            return self.send_json(writer, 401, {"error": {"message": "bad key sk-secret"}})
        status = self.status_for(model, call)
        if status:
            entry["ended"] = str(status)
            extra = "Retry-After: 1\r\n" if status == 429 else ""
            return self.send_json(writer, status, {"error": {"message": "scripted /etc/secret"}},
                                  extra)
        words = self.words_for(call)
        usage = {"prompt_tokens": 11, "completion_tokens": len(words), "total_tokens": 11}
        if model == "plain" or not call.get("stream"):
            entry["ended"] = "complete"
            return self.send_json(writer, 200, {"choices": [{"index": 0, "message": {
                "role": "assistant", "content": " ".join(words)}, "finish_reason": "stop"}],
                "usage": usage})
        try:
            kept = await self.stream(writer, model, words, usage)
            entry["ended"] = "complete" if kept else "cut"
            return kept
        except ConnectionError:
            entry["ended"] = "client left"
            return False

    def status_for(self, model, call):
        if model.startswith("status-"):
            return int(model[7:])
        if model.startswith("flaky-"):
            key = json.dumps(call["messages"])
            self.seen[key] = self.seen.get(key, 0) + 1
            return 503 if self.seen[key] <= int(model[6:]) else 0
        return 0

    async def stream(self, writer, model, words, usage):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")

        async def event(value):
            data = f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()

        delay = 0.2 if model == "slow" else self.delay_s
        begun = asyncio.get_running_loop().time()
        for i, word in enumerate(words):
            if model == "garbage":
                await event("{this is no json")
            if i == 3 and model == "break":
                writer.transport.abort()
                return False
            if i == 3 and model == "stall":
                await asyncio.sleep(3600)
            if i == 3 and model == "mid-error":
                await event({"error": {"message": "out of memory at 0x7f00", "code": 500}})
                break
            text = word if i == 0 else " " + word
            await event({"choices": [{"index": 0, "delta": {"content": text},
                                      "finish_reason": None}]})
            if writer.is_closing():
                raise ConnectionError
            if self.rate and model == "scripted":
                # By the clock: pauses of a few milliseconds are longer than they say.
                ahead = begun + (i + 1) / self.rate - asyncio.get_running_loop().time()
                await asyncio.sleep(max(0, ahead))
            else:
                await asyncio.sleep(delay)
        if model not in ("no-finish", "mid-error"):
            await event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            await event({"choices": [], "usage": usage})
            await event("[DONE]")
        writer.write(b"0\r\n\r\n")
        return True


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0, help="least words of an answer")
    parser.add_argument("--delay-ms", type=float, default=2, help="pause between words")
    parser.add_argument("--rate", type=float, default=0, help="words a second, in place of pauses")
    given = parser.parse_args()
    scripted = Server(given.tokens, given.delay_ms, given.rate)
    server = await asyncio.start_server(scripted.serve_connection, "127.0.0.1", given.port)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
