"""heddle pull, models, plan and bench from the command line, against a scripted hub."""

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import BINARY, ROOT


@pytest.fixture(scope="module")
def hub():
    server = subprocess.Popen([sys.executable, ROOT / "tests/scripted_hub.py"],
                              stdout=subprocess.PIPE, text=True)
    with contextlib.closing(server.stdout):
        port = server.stdout.readline().split()[-1]
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        server.wait(10)


def heddle(*arguments, env=None, status=0):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("HF_", "HEDDLE_HUB"))}
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, env={**clean, **(env or {})})
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_a_model_is_pulled_listed_verified_and_removed(hub, tmp_path):
    done = heddle("pull", "good/model", "--hub", hub, "--data", tmp_path)
    assert done.stdout.strip() == str(tmp_path / "models/good/model")
    assert "model.safetensors" in done.stderr, "a line for each file where there is no terminal"
    listed = heddle("models", "list", "--data", tmp_path).stdout
    assert "good/model" in listed and "config.json" in listed
    assert heddle("models", "verify", "--data", tmp_path).stdout == "ok  good/model\n"
    (tmp_path / "models/good/model/config.json").write_text("{}")
    wrong = heddle("models", "verify", "good/model", "--data", tmp_path, status=1).stdout
    assert "config.json is damaged" in wrong
    heddle("models", "remove", "good/model", "--data", tmp_path)
    assert heddle("models", "list", "--data", tmp_path).stdout == ""


def test_hub_and_token_come_from_the_environment(hub, tmp_path):
    for variables in ({"HEDDLE_HUB": hub}, {"HF_ENDPOINT": hub}):
        heddle("pull", "one-gguf/model", "--data", tmp_path, env=variables)
    refused = heddle("pull", "gated/model", "--data", tmp_path, env={"HF_ENDPOINT": hub}, status=1)
    assert "token" in refused.stderr
    heddle("pull", "gated/model", "--data", tmp_path,
           env={"HF_ENDPOINT": hub, "HF_TOKEN": "hub-token"})
    token = tmp_path / "token"
    token.write_text("hub-token\n")
    heddle("pull", "gated/model", "--data", tmp_path / "2", "--hub", hub,
           "--hub-token-file", token)


@pytest.mark.parametrize("name, status", [("wrong-hash/model", 1), ("traversal/model", 1),
                                          ("good/nothing", 1), ("../x", 64)])
def test_what_goes_wrong_is_one_line(hub, tmp_path, name, status):
    done = heddle("pull", name, "--hub", hub, "--data", tmp_path, status=status)
    assert re.fullmatch(r"heddle: .+\n", done.stderr.splitlines(keepends=True)[-1])


def test_plan_says_what_fits(tmp_path):
    model = tmp_path / "tiny.gguf"
    heddle("bench", "model", model, "--shape", "tiny", "--weights", "q8_0")
    out = heddle("plan", model, "--memory", "1GiB", "--length", 512).stdout
    # 2 layers, 2 key heads of 16, two bytes, keys and values.
    assert "= 256 bytes" in out
    assert re.search(r"^ +512 +\d+ +\d+ +4\.0x$", out, re.MULTILINE), out
    assert "do not fit" in heddle("plan", model, "--memory", "1MiB", status=64).stderr


def test_the_engine_is_measured_in_process(tmp_path):
    saved = tmp_path / "out.json"
    for schedule in ("continuous", "static"):
        heddle("bench", "throughput", "--shape", "tiny", "--weights", "f32", "--num-prompts", 6,
               "--workload", "claim", "--input-len", 16, "--output-len", 32, "--schedule", schedule,
               "--static-batch", 4, "--save", saved)
        report = json.loads(saved.read_text())
        assert report["completed"] == 6 and report["total_input_tokens"] == 96
    heddle("bench", "latency", "--shape", "tiny", "--weights", "bf16", "--input-len", 8,
           "--output-len", 4, "--batch-size", 2, "--num-iters", 2, "--save", saved)
    assert json.loads(saved.read_text())["decode_tokens_per_s"]["best"] > 0


def test_any_server_is_measured_with_arrivals_and_goodput(tmp_path):
    server = subprocess.Popen([sys.executable, ROOT / "tests/scripted_upstream.py"],
                              stdout=subprocess.PIPE, text=True)
    with contextlib.closing(server.stdout):
        port = server.stdout.readline().split()[-1]
        saved = tmp_path / "out.json"
        heddle("bench", "serve", "--base-url", f"http://127.0.0.1:{port}/v1", "--model", "scripted",
               "--num-prompts", 12, "--input-len", 8, "--request-rate", 200, "--goodput",
               "ttft:5000", "e2el:0.001", "--save", saved)
        server.terminate()
        server.wait(10)
    report = json.loads(saved.read_text())
    assert report["completed"] == 12 and report["failed"] == 0
    assert report["itl_ms"]["p99"] > 0
    assert report["request_goodput"] == 0, "no answer ends within a microsecond"
