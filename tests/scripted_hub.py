#!/usr/bin/env python3
"""Plays a Hugging Face compatible model hub and the content host that it redirects to.

Run:  scripted_hub.py [--port 0]
It prints `listening on PORT`. Every repository holds config.json and tokenizer.json (hash: git's),
model.safetensors of 300,000 bytes and sub/folder.bin in large storage (hash: SHA-256, bytes from the
content host on another port). What goes wrong is chosen by the repository's owner:

  good        nothing
  drops       the content host cuts the connection after 20,000 bytes, every time
  cuts-once   the same for the first three answers only
  stalls      the content host falls silent after 20,000 bytes, the first three times
  busy        503 for the first two answers to each question
  no-ranges   the content host sends the whole file whatever was asked for
  short       the content host announces the range, sends half of it and ends, the first time
  long        the content host sends more than it announces in Content-Range
  wrong-range the content host answers with another range
  wrong-total Content-Range names another size
  wrong-hash  other bytes of the same length (LFS), wrong-sha1: of config.json
  traversal   a path that climbs out; absolute, backslash: ones that are rooted or foreign
  gated       401 unless the bearer token is "hub-token", 403 when it is "hub-no-terms"
  loop        redirects to itself
  paged       the list of files comes in pages of one
  gguf        five GGUF files in place of safetensors; one-gguf: one
  garbage     answers that are not JSON; no-sha: a commit that is none
  huge        a file of 4,000,000,000,000 bytes

The content host refuses (400) whoever sends it an Authorization field. GET /log lists the requests
for bytes. Standard library only.
"""

import argparse
import hashlib
import http.server
import json
import random
import socket
import sys
import threading
import time
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CUT_AFTER = 20_000


def content(name, size):
    return random.Random(name).randbytes(size)


FILES = {
    "config.json": b'{"architectures": ["LlamaForCausalLM"]}\n',
    "tokenizer.json": content("tokenizer.json", 5_000),
    "model.safetensors": content("model.safetensors", 300_000),
    "sub/folder.bin": content("sub/folder.bin", 100),
    "README.md": b"# A model\n",
    ".gitattributes": b"*.bin filter=lfs\n",
}
GGUFS = ["tiny-q4_0.gguf", "tiny-Q4_K_M.gguf", "tiny-Q8_0.gguf", "tiny-f16.gguf",
         "tiny-big-00001-of-00002.gguf"]
LARGE = (".safetensors", ".bin", ".gguf")


def files_of(owner):
    if owner == "gguf":
        return {name: content(name, 1_000) for name in GGUFS}
    if owner == "one-gguf":
        return {"only.gguf": content("only", 1_000), "README.md": b"one\n"}
    return FILES


def entry(path, data):
    git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    one = {"type": "file", "oid": git, "size": len(data), "path": path}
    if path.endswith(LARGE):
        one["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data),
                      "pointerSize": 130}
    return one


def tree(owner):
    entries = [entry(path, data) for path, data in files_of(owner).items()]
    entries.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": "sub"})
    bad = {"traversal": "../../evil.safetensors", "absolute": "/etc/model.safetensors",
           "backslash": "..\\model.safetensors"}
    if owner in bad:
        entries.append(entry(bad[owner], b"evil.safetensors"))
    if owner == "huge":
        entries = [e | {"lfs": e["lfs"] | {"size": 4_000_000_000_000}} if "lfs" in e else e
                   for e in entries]
    return entries


class State:
    lock = threading.Lock()
    seen = {}
    log = []

    @classmethod
    def count(cls, key):
        with cls.lock:
            cls.seen[key] = cls.seen.get(key, 0) + 1
            return cls.seen[key]


class Base(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, value, headers=None):
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json",
                                                     **(headers or {})})

    def asked_range(self, size):
        field = self.headers.get("Range", "")
        if not field.startswith("bytes="):
            return 0, size
        first, last = field[6:].split("-")
        return int(first), min(size, int(last) + 1)


class Hub(Base):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if url.path == "/log":
            return self.reply_json(State.log)
        owner = parts[2] if parts[0] == "api" else parts[0]
        token = self.headers.get("Authorization", "")
        if owner == "gated" and token == "Bearer hub-no-terms":
            return self.reply(403, b"terms")
        if owner == "gated" and token != "Bearer hub-token":
            return self.reply(401, b"who are you?")
        if owner == "busy" and State.count(self.path + self.headers.get("Range", "")) <= 2:
            return self.reply(503, b"later")
        if owner == "garbage":
            return self.reply(200, b"<html>")
        if parts[0] == "api" and parts[3] == "nothing":
            return self.reply(404, b"{}")
        if parts[0] == "api" and parts[4] == "revision":
            return self.reply_json({"sha": "main" if owner == "no-sha" else COMMIT})
        if parts[0] == "api":
            return self.serve_tree(owner, url)
        return self.serve_file(owner, "/".join(parts[4:]))

    def serve_tree(self, owner, url):
        entries = tree(owner)
        if owner != "paged":
            return self.reply_json(entries)
        page = int(urllib.parse.parse_qs(url.query).get("cursor", ["0"])[0])
        link = {}
        if page + 1 < len(entries):
            link = {"Link": f"<http://{self.headers['Host']}{url.path}?recursive=true"
                            f"&cursor={page + 1}>; rel=\"next\""}
        return self.reply_json(entries[page:page + 1], link)

    def serve_file(self, owner, path):
        if owner == "loop":
            return self.reply(302, headers={"Location": self.path})
        data = files_of(owner).get(path)
        if data is None:
            return self.reply(404)
        if path.endswith(LARGE):
            return self.reply(302, headers={
                "Location": f"http://127.0.0.1:{self.server.content_port}/{owner}/{path}?signed=1"})
        if owner == "wrong-sha1" and path == "config.json":
            data = data.replace(b"Llama", b"Lhama")
        begin, end = self.asked_range(len(data))
        return self.reply(206, data[begin:end],
                          {"Content-Range": f"bytes {begin}-{end - 1}/{len(data)}"})


class Content(Base):
    def do_GET(self):
        _, owner, path = urllib.parse.urlsplit(self.path).path.split("/", 2)
        with State.lock:
            State.log.append({"owner": owner, "path": path, "range": self.headers.get("Range", "")})
        if "Authorization" in self.headers:
            return self.reply(400, b"that token is not for me")
        data = files_of(owner)[path]
        begin, end = self.asked_range(len(data))
        if owner == "wrong-hash":
            data = bytes(len(data))
        if owner == "no-ranges":
            return self.reply(200, data)
        body, total = data[begin:end], len(data)
        if owner == "wrong-range":
            begin, end = begin + 1, end + 1
        if owner == "wrong-total":
            total += 1
        headers = {"Content-Range": f"bytes {begin}-{end - 1}/{total}"}
        times = State.count((owner, "content"))
        if owner == "long":
            return self.reply(206, body + b"more", headers)
        cut = owner == "drops" or (owner in ("cuts-once", "stalls") and times <= 3)
        if owner == "short" and times == 1:
            cut, body = True, body[:len(body) // 2]
        if not cut or len(body) <= CUT_AFTER:
            return self.reply(206, body, headers)
        self.send_response(206)
        self.send_header("Content-Range", headers["Content-Range"])
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        self.wfile.write(body[:CUT_AFTER])
        self.wfile.flush()
        if owner == "stalls":
            time.sleep(3)
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that has gone


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    content_host = Server(("127.0.0.1", 0), Content)
    hub = Server(("127.0.0.1", given.port), Hub)
    hub.content_port = content_host.server_address[1]
    threading.Thread(target=content_host.serve_forever, daemon=True).start()
    print(f"listening on {hub.server_address[1]}", flush=True)
    hub.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
