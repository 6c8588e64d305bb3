"""The main job end to end: a question about a PDF and a web page gets a streamed, cited answer."""

import io
import pathlib

import pytest
from PIL import Image, ImageDraw, ImageFont

from conftest import make_pdf

PAGES = [
    ["The pump is delivered in a wooden crate.", "Keep the crate dry and away from frost."],
    ["The pump starts every day at noon and runs for forty minutes.",
     "It must never run without water."],
    ["The warranty covers parts and labour for twenty-four months from delivery.",
     "Wear parts such as seals are excluded from the warranty."],
]


def upload_manual(server, key=None):
    reply = server.upload("manual.pdf", make_pdf(PAGES), key=key)
    assert reply.status == 202, reply.body
    body = reply.json()
    assert body["filename"] == "manual.pdf"
    assert body["message"] == "File uploaded successfully"
    state = server.wait_ready(body["id"], key=key)
    assert state["state"] == "ready", state
    assert state["pages"] == 3
    return body["id"]


def test_the_answer_quotes_the_right_page(heddle):
    document = upload_manual(heddle)
    reply = heddle.post("/generate/text", {"prompt": "How long does the warranty cover parts?"})
    assert reply.status == 200, reply.body
    answer = reply.json()
    assert "twenty-four months" in answer["content"]
    assert "[1]" in answer["content"]
    cited = [s for s in answer["sources"] if s.get("n") == 1][0]
    assert cited["kind"] == "document" and cited["document"] == document
    assert cited["page"] == 3
    assert answer["ip"] == "127.0.0.1"

    pump = heddle.post("/generate/text", {"prompt": "At what time does the pump start?"}).json()
    assert "noon" in pump["content"]
    assert pump["sources"][0]["page"] == 2


def test_events_come_in_order(heddle):
    upload_manual(heddle)
    events = heddle.events("/generate/text",
                           {"prompt": "How long is the warranty?", "stream": True})
    names = [name for name, _ in events]
    assert names[0] == "sources"
    assert names[-2:] == ["usage", "done"]
    assert set(names[1:-2]) == {"delta"}


def test_a_page_of_the_web_is_cited(serve, website):
    host = website({"/pumps": ("text/html", b"<html><head><title>Pumps</title></head><body>"
                               b"<div id='bodyContent'><p>Centrifugal pumps were invented by Denis "
                               b"Papin in 1689, who used straight vanes.</p></div></body></html>")})
    server = serve("--fetch-allow", host)
    answer = server.post("/generate/text", {
        "prompt": f"Who invented centrifugal pumps? See http://{host}/pumps and "
                  f"(http://{host}/missing)."}).json()
    assert "Denis Papin" in answer["content"]
    web = [s for s in answer["sources"] if s["kind"] == "web"]
    assert {s["url"] for s in web} == {f"http://{host}/pumps", f"http://{host}/missing"}
    cited = [s for s in web if s["url"].endswith("/pumps")][0]
    assert f"[{cited['n']}]" in answer["content"]
    failed = [s for s in web if s["url"].endswith("/missing")][0]
    assert failed["error"] and not failed.get("n")


def test_private_addresses_are_refused(serve, website):
    host = website({"/secret": ("text/html", b"<p>The secret word is swordfish.</p>")})
    answer = serve().post("/generate/text", {
        "prompt": f"What is the secret word at http://{host}/secret ?"}).json()
    assert "swordfish" not in str(answer)
    assert answer["sources"][0]["error"]


def test_a_model_server_writes_over_the_sources(serve, upstream):
    server = serve("--upstream", upstream, "--upstream-model", "scripted")
    upload_manual(server)
    answer = server.post("/generate/text", {"prompt": "When does the pump start?"}).json()
    assert answer["content"].startswith("You asked: When does the pump start?")
    assert "[1]" in answer["content"]
    assert answer["usage"]["prompt_tokens"] == 11
    events = server.events("/generate/text", {"prompt": "When does the pump start?",
                                              "model": "mid-error", "stream": True})
    assert events[-1][0] == "error"


def test_everything_survives_a_restart(serve):
    server = serve()
    document = upload_manual(server)
    server.restart()
    answer = server.post("/generate/text", {"prompt": "How long does the warranty last?"}).json()
    assert "twenty-four months" in answer["content"]
    assert server.get(f"/documents/{document}/file").body.startswith(b"%PDF-")


def test_deleting_leaves_nothing_to_be_found(serve):
    server = serve()
    document = upload_manual(server)
    assert server.request("DELETE", f"/documents/{document}").status in (200, 204)
    assert server.get(f"/documents/{document}").status == 404
    answer = server.post("/generate/text", {"prompt": "How long does the warranty last?"}).json()
    assert "twenty-four" not in answer["content"]
    assert not answer.get("sources")


def test_owners_do_not_see_each_other(serve, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("key-of-the-operator\n")
    server = serve("--api-key-file", keys)
    assert server.get("/documents").status == 401
    assert server.post("/generate/text", {"prompt": "hi"}).status == 401
    document = upload_manual(server, key="key-of-the-operator")
    assert server.get(f"/documents/{document}", key="wrong").status == 401
    assert server.get("/healthz").status == 200


def scanned_pdf(lines):
    """A page that is a picture of its text, 150 pixels an inch."""
    page = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(page)
    for row, line in enumerate(lines):
        draw.text((100, 150 + 70 * row), line, fill="black", font=ImageFont.load_default(36))
    out = io.BytesIO()
    page.save(out, "PDF", resolution=150)
    return out.getvalue()


def test_scanned_pages_are_read_where_ocr_is_on(serve):
    if not pathlib.Path("/usr/bin/tesseract").exists():
        pytest.skip("no tesseract (Debian package tesseract-ocr)")
    scan = scanned_pdf(["The pump starts at noon.", "The warranty lasts for twenty-four months."])
    for flags, state in ([], "failed"), (["--ocr", "eng"], "ready"):
        server = serve(*flags, folder=state)
        document = server.wait_ready(server.upload("scan.pdf", scan).json()["id"])
        assert document["state"] == state, document
    answer = server.post("/generate/text", {"prompt": "How long does the warranty last?"}).json()
    assert "twenty-four months" in answer["content"], answer
