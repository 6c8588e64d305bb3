"""The interface as a whole: who may call what, sessions, WebSocket, documents of other owners."""

import json
import re
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

KEY = "hd-secret-key-for-this-test"
OPEN = {"/auth/login", "/healthz", "/health", "/readyz"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    from conftest import Heddle

    folder = tmp_path_factory.mktemp("guarded")
    keys = folder / "keys"
    keys.write_text(KEY + "\n")
    keys.chmod(0o600)
    server = Heddle(folder / "data", "--api-key-file", keys)
    yield server
    assert server.stop() == 0, server.log()


def test_every_route_outside_the_open_list_needs_a_key(guarded):
    paths = guarded.get("/openapi.json", key=KEY).json()["paths"]
    assert len(paths) > 15
    for path, methods in paths.items():
        for method in methods:
            sample = re.sub(r"\{\w+\}", "01ARZ3NDEKTSV4RRFFQ69G5FAV", path)
            status = guarded.request(method.upper(), sample, body=b"{}").status
            assert (status == 401) == (path not in OPEN), (method, path, status)


def test_errors_say_nothing_of_the_inside(guarded):
    for path in ("/documents/..%2f..%2fetc%2fpasswd", "/documents/%00", "/documents/x'--",
                 "/v1/models/../..", "/documents/" + "a" * 4000, "/nothing"):
        reply = guarded.get(path, key=KEY)
        assert 400 <= reply.status < 500, path
        assert not re.search(rb"/work|/home|/tmp|SELECT|0x[0-9a-f]{4}|\.cpp", reply.body), path


def test_a_browser_logs_in_and_out(guarded):
    login = guarded.post("/auth/login", {"key": KEY})
    assert login.status == 200
    cookie = login.headers["Set-Cookie"].split(";")[0]
    csrf = login.json()["csrf"]
    assert guarded.get("/documents", headers={"Cookie": cookie}).status == 200
    question = {"prompt": "hello"}
    assert guarded.post("/generate/text", question, headers={"Cookie": cookie}).status == 403
    answered = guarded.post("/generate/text", question,
                            headers={"Cookie": cookie, "X-CSRF-Token": csrf})
    assert answered.status == 200
    guarded.post("/auth/logout", {}, headers={"Cookie": cookie, "X-CSRF-Token": csrf})
    assert guarded.get("/documents", headers={"Cookie": cookie}).status == 401


def test_a_websocket_carries_questions_and_events(guarded):
    address = guarded.url.replace("http", "ws") + "/generate/text/ws"
    with pytest.raises(InvalidStatus):
        connect(address)
    with pytest.raises(InvalidStatus):
        connect(address, origin="http://evil.test",
                additional_headers={"Authorization": "Bearer " + KEY})
    with connect(address, additional_headers={"Authorization": "Bearer " + KEY}) as socket:
        for _ in range(2):
            socket.send(json.dumps({"prompt": "What is known about pumps?"}))
            names = []
            while not names or names[-1] not in ("done", "error"):
                names.append(json.loads(socket.recv(timeout=20))["event"])
            assert names[-1] == "done" and "delta" in names
        socket.send("no JSON")
        refusal = json.loads(socket.recv(timeout=20))
        assert refusal["event"] == "error" and refusal["data"]["status"] == 422


def test_the_documentation_works_offline(guarded):
    page = guarded.get("/docs", key=KEY)
    assert page.status == 200
    assert "http" not in page.body.decode().replace("http-equiv", "")
    assert "nonce-" in page.headers["Content-Security-Policy"]


def test_an_unknown_host_is_refused(guarded):
    call = urllib.request.Request(guarded.url + "/healthz", headers={"Host": "evil.test"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(call, timeout=10)
    assert refused.value.code == 421
