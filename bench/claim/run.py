#!/usr/bin/env python3
"""The claim that continuous batching is measured by, scaled to a CPU: static against continuous.

512-token prompts, all at once; answer lengths from an exponential of mean 128, redrawn above the cap;
caps 32, 128, 512 and 1536 with static batches of 16, 12, 8 and 4 (as many as the memory of the
original measurement held: Anyscale, June 2023). Both schedules run in the same engine and kernels,
on the same requests; a static batch is padded to its longest answer. Weights are random.
  run.py HEDDLE RESULT.json [--shape llama-30m] [--weights q8_0] [--requests 48]
One thread; rates are tokens over the processor time of the process without that of loading.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("heddle", type=pathlib.Path)
parser.add_argument("result", type=pathlib.Path)
parser.add_argument("--shape", default="llama-30m")
parser.add_argument("--weights", default="q8_0")
parser.add_argument("--requests", type=int, default=48)
given = parser.parse_args()
CASES = {32: 16, 128: 12, 512: 8, 1536: 4}


def run(folder, schedule, cap, requests, batch):
    saved = pathlib.Path(folder) / "out.json"
    command = [given.heddle, "bench", "throughput", "--model", pathlib.Path(folder) / "model.gguf",
               "--threads", 1, "--workload", "claim", "--input-len", 512, "--output-len", cap,
               "--num-prompts", requests, "--schedule", schedule, "--static-batch", batch,
               "--kv-tokens", 32768, "--save", saved]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit("heddle failed")
    return json.loads(saved.read_text()), usage.ru_utime + usage.ru_stime


def measure(folder, schedule, cap, batch, empty_s):
    report, seconds = run(folder, schedule, cap, given.requests, batch)
    seconds -= empty_s
    output, prompt = report["total_output_tokens"], report["total_input_tokens"]
    return {"seconds": round(seconds, 2), "output_tokens_per_s": round(output / seconds, 1),
            "total_tokens_per_s": round((output + prompt) / seconds, 1)}


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([given.heddle, "bench", "model", pathlib.Path(folder) / "model.gguf",
                        "--shape", given.shape, "--weights", given.weights], check=True)
        # Loading and one prompt; the prompt is taken off the sides again as a share of theirs.
        one, two = (run(folder, "continuous", 1, n, 1)[1] for n in (1, 2))
        empty_s = max(0.0, 2 * one - two)
        for cap, batch in CASES.items():
            static = measure(folder, "static", cap, batch, empty_s)
            continuous = measure(folder, "continuous", cap, batch, empty_s)
            rows.append({"cap": cap, "static_batch": batch, "static": static,
                         "continuous": continuous,
                         "ratio": round(static["seconds"] / continuous["seconds"], 2)})
            print(json.dumps(rows[-1]), flush=True)
    given.result.write_text(json.dumps({"shape": given.shape, "weights": given.weights,
                                        "requests": given.requests, "rows": rows}, indent=1) + "\n")


main()
