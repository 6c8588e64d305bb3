#!/usr/bin/env python3
"""Tokens a second of the engine beside llama.cpp's, on the same files, in turn.

Needs llama-bench and llama-batched-bench: the folder vendor/llama.cpp of the source package
llama-cpp-python, built with
  cmake -S . -B b -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF
        -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
  ninja -C b llama-bench llama-batched-bench
  run.py HEDDLE LLAMA_BIN_FOLDER WORK_FOLDER RESULT.json [--types q8_0 q4_K bf16] [--rounds 5]

One thread each, timed by the processor time of the whole process: the difference of a longer and a
shorter run is what the work between them took, whatever loading and warming up took and whoever else
used the machine. Every round runs one side after the other; best and median of the rounds are
reported, and ratios of the two. --wall takes the programs' own clocks and --threads instead: for a
machine where nothing else runs.
"""
import argparse
import json
import os
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
parser.add_argument("--wall", action="store_true")
parser.add_argument("--threads", type=int, default=2, help="with --wall")
parser.add_argument("--shape", default="tinyllama-1.1b")
given = parser.parse_args()
THREADS = given.threads if given.wall else 1
PROMPT, ANSWER, STREAMS, STREAM_PROMPT = 512, 32, 16, 16
SHORT = 2  # tokens of the shorter answer


def run(*command):
    """Its output and its processor time."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed")
    return out, usage.ru_utime + usage.ru_stime


def model_file(kind):
    path = given.work / f"{given.shape}-{kind}.gguf"
    if not path.exists():
        run(given.heddle, "bench", "model", path, "--shape", given.shape, "--weights", kind)
    return path


def heddle(path, prompt, answer, batch, repeats=1):
    saved = given.work / "heddle.json"
    _, seconds = run(given.heddle, "bench", "latency", "--model", path, "--threads", THREADS,
                     "--kv-type", "f16", "--kv-tokens", 4096, "--input-len", prompt, "--output-len",
                     answer, "--batch-size", batch, "--num-iters", repeats, "--num-iters-warmup", 0,
                     "--save", saved)
    return json.loads(saved.read_text()), seconds


def llama_bench(path, repeats, *work):
    out, seconds = run(given.llama / "llama-bench", "-m", path, "-t", THREADS, "-r", repeats,
                       "--no-warmup", "-o", "json", *work)
    return json.loads(out)[0]["avg_ts"], seconds


def llama_streams(path, answer):
    out, seconds = run(given.llama / "llama-batched-bench", "-m", path, "-t", THREADS, "-c", 4096,
                       "-b", 2048, "-ub", 512, "-npp", STREAM_PROMPT, "-ntg", answer, "-npl",
                       STREAMS, "--output-format", "jsonl")
    line = next(line for line in out.splitlines() if line.startswith("{"))
    return json.loads(line)["speed_tg"], seconds


def rates(path, work):
    """Tokens a second: ours, theirs."""
    if work == "prefill":
        ours = [heddle(path, PROMPT, 1, 1, n) for n in (1, 2)]
        theirs = [llama_bench(path, n, "-p", PROMPT, "-n", 0) for n in (1, 2)]
        clock = (ours[1][0]["prefill_tokens_per_s"]["best"], theirs[1][0])
        tokens = PROMPT
    elif work == "decode":
        ours = [heddle(path, 1, n, 1) for n in (SHORT, SHORT + ANSWER)]
        theirs = [llama_bench(path, 1, "-p", 0, "-n", n) for n in (SHORT, SHORT + ANSWER)]
        clock = (ours[1][0]["decode_tokens_per_s"]["best"], theirs[1][0])
        tokens = ANSWER
    else:
        ours = [heddle(path, STREAM_PROMPT, n, STREAMS) for n in (SHORT, SHORT + ANSWER)]
        theirs = [llama_streams(path, n) for n in (SHORT, SHORT + ANSWER)]
        clock = (ours[1][0]["decode_tokens_per_s"]["best"], theirs[1][0])
        tokens = ANSWER * STREAMS
    if given.wall:
        return clock
    return tokens / (ours[1][1] - ours[0][1]), tokens / (theirs[1][1] - theirs[0][1])


def measure(kind, work):
    pairs = [rates(model_file(kind), work) for _ in range(given.rounds)]
    ours, theirs = zip(*pairs)
    row = {"type": kind, "work": work,
           "heddle": {"best": round(max(ours), 2), "median": round(statistics.median(ours), 2)},
           "llama_cpp": {"best": round(max(theirs), 2),
                         "median": round(statistics.median(theirs), 2)},
           "ratio_best": round(max(ours) / max(theirs), 2),
           "ratio_median": round(statistics.median(a / b for a, b in pairs), 2),
           "rounds": given.rounds}
    print(json.dumps(row), flush=True)
    return row


def main():
    given.work.mkdir(parents=True, exist_ok=True)
    for kind in given.types:
        for work in given.works:
            row = measure(kind, work)
            known = json.loads(given.result.read_text())["rows"] if given.result.exists() else []
            rows = [r for r in known if (r["type"], r["work"]) != (kind, work)] + [row]
            given.result.write_text(json.dumps({
                "shape": given.shape, "clock": "wall" if given.wall else "processor",
                "threads": THREADS, "rows": rows}, indent=1) + "\n")


main()
