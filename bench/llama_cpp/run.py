#!/usr/bin/env python3
"""Tokens a second of the engine beside llama.cpp's, on the same files, in turn.

Needs llama-bench and llama-batched-bench: the folder vendor/llama.cpp of the source package
llama-cpp-python, built with
  cmake -S . -B b -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF
        -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
  ninja -C b llama-bench llama-batched-bench
and run where nothing else does:
  run.py HEDDLE LLAMA_BIN_FOLDER WORK_FOLDER RESULT.json [--types q8_0 q4_K bf16] [--rounds 5]
Every round runs one side after the other, so that a busy machine slows both; best and median of the
rounds are reported, and ratios of the two.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("heddle", type=pathlib.Path)
parser.add_argument("llama", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("result", type=pathlib.Path)
parser.add_argument("--types", nargs="+", default=["q8_0", "q4_K", "bf16"])
parser.add_argument("--works", nargs="+", default=["prefill", "decode", "streams"])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--shape", default="tinyllama-1.1b")
given = parser.parse_args()

PROMPT, ANSWER, STREAMS, STREAM_PROMPT, STREAM_ANSWER = 512, 64, 16, 128, 32


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          text=True).stdout


def model_file(kind):
    path = given.work / f"{given.shape}-{kind}.gguf"
    if not path.exists():
        run(given.heddle, "bench", "model", path, "--shape", given.shape, "--weights", kind)
    return path


def heddle(path, prompt, answer, batch):
    saved = given.work / "heddle.json"
    run(given.heddle, "bench", "latency", "--model", path, "--threads", given.threads,
        "--kv-type", "f16", "--input-len", prompt, "--output-len", answer, "--batch-size", batch,
        "--num-iters", 1, "--save", saved)
    return json.loads(saved.read_text())


def llama_bench(path, *work):
    out = run(given.llama / "llama-bench", "-m", path, "-t", given.threads, "-r", 1, "-o", "json",
              *work)
    return json.loads(out)[0]["avg_ts"]


def llama_streams(path):
    out = run(given.llama / "llama-batched-bench", "-m", path, "-t", given.threads, "-c", 4096,
              "-b", 2048, "-ub", 512, "-npp", STREAM_PROMPT, "-ntg", STREAM_ANSWER, "-npl", STREAMS,
              "--output-format", "jsonl")
    line = next(line for line in out.splitlines() if line.startswith("{"))
    return json.loads(line)["speed_tg"]


def measure(kind, work):
    path = model_file(kind)
    ours, theirs, read = [], [], []
    for _ in range(given.rounds):
        if work == "prefill":
            theirs.append(llama_bench(path, "-p", PROMPT, "-n", 0))
            ours.append(heddle(path, PROMPT, 1, 1)["prefill_tokens_per_s"]["best"])
        elif work == "decode":
            theirs.append(llama_bench(path, "-p", 0, "-n", ANSWER))
            one = heddle(path, 1, ANSWER + 1, 1)
            ours.append(one["decode_tokens_per_s"]["best"])
            read.append(one["decode_tokens_per_s"]["best"] * one["setting"]["bytes_per_token"]
                        / one["memory_read_bytes_per_s"])
        else:
            theirs.append(llama_streams(path))
            ours.append(heddle(path, STREAM_PROMPT, STREAM_ANSWER + 1,
                               STREAMS)["decode_tokens_per_s"]["best"])
    row = {"type": kind, "work": work,
           "heddle": {"best": round(max(ours), 2), "median": round(statistics.median(ours), 2)},
           "llama_cpp": {"best": round(max(theirs), 2),
                         "median": round(statistics.median(theirs), 2)},
           "ratio_best": round(max(ours) / max(theirs), 2),
           "ratio_median": round(statistics.median(a / b for a, b in zip(ours, theirs)), 2)}
    if read:
        row["share_of_read_loop"] = {"best": round(max(read), 2),
                                     "median": round(statistics.median(read), 2)}
    print(json.dumps(row), flush=True)
    return row


def main():
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [measure(kind, work) for work in given.works for kind in given.types]
    known = json.loads(given.result.read_text())["rows"] if given.result.exists() else []
    measured = {(row["type"], row["work"]) for row in rows}
    rows += [row for row in known if (row["type"], row["work"]) not in measured]
    given.result.write_text(json.dumps({"shape": given.shape, "threads": given.threads,
                                        "rounds": given.rounds, "rows": rows}, indent=1) + "\n")


main()
