"""Black box tests: the real binary over HTTP, in a folder of its own, on a free port.

HEDDLE_TEST_BINARY names it (default: build/release/heddle).
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEDDLE_TEST_BINARY", ROOT / "build/release/heddle"))


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Heddle:
    """A running server. `request` never raises for a status; `log` is what it wrote."""

    def __init__(self, folder, *flags, env=None):
        self.folder = pathlib.Path(folder)
        self.flags = flags
        self.env = env or {}
        self.log_path = self.folder.parent / f"{self.folder.name}.log"
        self.start()

    def start(self):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", self.folder, *self.flags],
            stdout=log, stderr=log, env={**os.environ, **self.env})
        log.close()
        deadline = time.time() + 60
        while time.time() < deadline:
            found = re.findall(rb"http://127\.0\.0\.1:(\d+)", self.log_path.read_bytes())
            if found:
                self.port = int(found[0])
                self.url = f"http://127.0.0.1:{self.port}"
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"heddle ended:\n{self.log()}")
            time.sleep(0.02)
        raise RuntimeError(f"heddle does not serve:\n{self.log()}")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM, timeout=40):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.log_path.write_bytes(b"")
        self.start()

    def request(self, method, path, body=None, headers=None, key=None, timeout=60):
        headers = dict(headers or {})
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        call = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(call, timeout=timeout) as response:
                return Reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read())

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body=body, **kwargs)

    def upload(self, name, data, content_type="application/pdf", key=None, path="/upload"):
        boundary = "heddle-test-boundary"
        body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
                f"filename=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n").encode()
        body += data + f"\r\n--{boundary}--\r\n".encode()
        return self.post(path, body, key=key,
                         headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def wait_ready(self, document, key=None, timeout=60):
        deadline = time.time() + timeout
        while time.time() < deadline:
            state = self.get(f"/documents/{document}", key=key).json()
            if state["state"] in ("ready", "failed"):
                return state
            time.sleep(0.05)
        raise AssertionError(f"document is not ready: {state}")

    def events(self, path, body, key=None, timeout=60):
        """Server-sent events of a POST as (name, decoded data), until the stream ends."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        call = urllib.request.Request(self.url + path, data=json.dumps(body).encode(),
                                      headers=headers, method="POST")
        name, found = "message", []
        with urllib.request.urlopen(call, timeout=timeout) as response:
            for raw in response:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data = line[5:].strip()
                    found.append((name, data if data == "[DONE]" else json.loads(data)))
                elif line == "":
                    name = "message"
        return found


@pytest.fixture
def serve(tmp_path):
    """serve(*flags) starts a server that ends with the test."""
    running = []

    def start(*flags, folder="data", env=None):
        server = Heddle(tmp_path / folder, *map(str, flags), env=env)
        running.append(server)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def heddle(tmp_path_factory):
    """One server without models or keys for all tests of a file."""
    server = Heddle(tmp_path_factory.mktemp("heddle") / "data")
    yield server
    assert server.stop() == 0, server.log()


@contextlib.contextmanager
def scripted_upstream(*arguments):
    process = subprocess.Popen([sys.executable, ROOT / "tests/scripted_upstream.py", *arguments],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/v1"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def upstream():
    with scripted_upstream() as url:
        yield url


@pytest.fixture
def website():
    """website({"/path": (content type, bytes)}) serves pages on loopback; gives HOST:PORT."""
    servers = []

    def start(pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                content_type, body = pages.get(self.path, (None, b""))
                self.send_response(200 if content_type else 404)
                self.send_header("Content-Type", content_type or "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()


def make_pdf(pages, title="Pump manual"):
    """A real PDF whose pages hold these paragraphs."""
    from io import BytesIO

    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

    out = BytesIO()
    style = getSampleStyleSheet()
    story = []
    for number, paragraphs in enumerate(pages):
        if number:
            story.append(PageBreak())
        for text in paragraphs:
            story += [Paragraph(text, style["BodyText"]), Spacer(1, 8)]
    SimpleDocTemplate(out, pagesize=A4, title=title, author="tests").build(story)
    return out.getvalue()
