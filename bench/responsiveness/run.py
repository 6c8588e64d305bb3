#!/usr/bin/env python3
"""Does the event loop stay free? The chapter's whole point, measured.

Idle: only a probe of /healthz and 64 slow streams. Load: meanwhile 16 uploads of 50 MB and 8
ingestions of a 30-page PDF. Server, model server, uploaders and probe share the machine; the probe and
the reader of the streams are processes of their own. Reported: quantiles of /healthz, the longest gap
between two pieces of one stream (the model server sends one every 100 ms), and ratios to idle.

  bench/responsiveness/run.py [--binary build/release/heddle] [--out bench/results/responsiveness.json]
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import multiprocessing.pool
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api"))
from conftest import Heddle, make_pdf, scripted_upstream  # noqa: E402

STREAMS = 64
UPLOADS = 16
UPLOAD_BYTES = 50 << 20
INGESTIONS = 8


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else 0.0


def probe(port, stop, results):
    """GET /healthz every 10 ms on one connection; latencies in ms."""
    try:
        os.nice(-10)  # the probe must not wait for what it measures
    except PermissionError:
        pass
    connection = http.client.HTTPConnection("127.0.0.1", port)
    latencies = []
    while not stop.is_set():
        start = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        latencies.append((time.perf_counter() - start) * 1000)
        time.sleep(0.01)
    results.put(("probe", latencies))


async def read_stream(port, gaps):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"prompt": "tell me", "model": "scripted", "stream": True}).encode()
    writer.write(b"POST /generate/text HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    last, longest, deltas = None, 0.0, 0
    while line := await reader.readline():
        if line.startswith(b"event: delta"):
            now = time.perf_counter()
            if last is not None:
                longest = max(longest, now - last)
            last = now
            deltas += 1
        if line.startswith((b"event: done", b"event: error")):
            break
    writer.close()
    gaps.append((longest * 1000, deltas))


def read_streams(port, stop, results):
    try:
        os.nice(-10)
    except PermissionError:
        pass

    async def again_and_again(gaps):
        while not stop.is_set():
            await read_stream(port, gaps)

    async def all_of_them():
        gaps = []
        await asyncio.gather(*(again_and_again(gaps) for _ in range(STREAMS)))
        return gaps

    results.put(("streams", asyncio.run(all_of_them())))


def upload(port, name, data):
    boundary = "b"
    head = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n"
            "Content-Type: application/pdf\r\n\r\n").encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.putrequest("POST", "/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
    connection.putheader("Content-Length", str(len(head) + len(data) + len(tail)))
    connection.endheaders()
    connection.send(head)
    connection.send(data)
    connection.send(tail)
    reply = connection.getresponse()
    return reply.status, reply.read()


def send_load(port, results):
    os.nice(5)
    pages = [[f"Section {p}.{i} speaks about part {p * 31 + i} and its {i} properties in detail."
              for i in range(20)] for p in range(30)]
    pdfs = [make_pdf([[f"Copy {n}."], *pages]) for n in range(INGESTIONS)]
    # Not readable as a PDF, but of its type: stored whole, refused by the reader afterwards.
    big = b"%PDF-1.7\n" + os.urandom(1 << 20) * (UPLOAD_BYTES >> 20)
    start = time.time()
    with multiprocessing.pool.ThreadPool(UPLOADS + INGESTIONS) as pool:
        jobs = [pool.apply_async(upload, (port, f"doc{n}.pdf", pdf)) for n, pdf in enumerate(pdfs)]
        jobs += [pool.apply_async(upload, (port, f"big{n}.pdf", big[:9] + bytes([n]) + big[10:]))
                 for n in range(UPLOADS)]
        statuses = [job.get()[0] for job in jobs]
    results.put(("load", {"statuses": statuses, "upload_s": time.time() - start}))


def wait_for_ingestion(server):
    while True:
        states = [d["state"] for d in server.get("/documents?limit=100").json()["documents"]]
        if all(s in ("ready", "failed") for s in states):
            return states
        time.sleep(0.2)


def phase(server, seconds, loaded):
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=probe, args=(server.port, stop, results)),
               multiprocessing.Process(target=read_streams, args=(server.port, stop, results))]
    for worker in workers:
        worker.start()
    found = {}
    if loaded:
        time.sleep(1)
        loader = multiprocessing.Process(target=send_load, args=(server.port, results))
        loader.start()
        found["load"] = results.get(timeout=300)[1]
        loader.join()
        found["states"] = wait_for_ingestion(server)
    else:
        time.sleep(seconds)
    stop.set()
    for _ in workers:
        name, value = results.get(timeout=60)
        found[name] = value
    for worker in workers:
        worker.join()
    gaps = [gap for gap, deltas in found["streams"] if deltas > 1]
    return {"healthz_ms": {q: round(quantile(found["probe"], float(q)), 2)
                           for q in ("0.5", "0.99", "0.999")},
            "probes": len(found["probe"]), "streams": len(gaps),
            "longest_gap_ms": {"p50": round(quantile(gaps, 0.5), 1),
                               "p99": round(quantile(gaps, 0.99), 1), "max": round(max(gaps), 1)},
            **({"upload_s": round(found["load"]["upload_s"], 1),
                "statuses": sorted(set(found["load"]["statuses"])),
                "states": {s: found["states"].count(s) for s in set(found["states"])}}
               if loaded else {})}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=ROOT / "build/release/heddle")
    parser.add_argument("--out", default=ROOT / "bench/results/responsiveness.json")
    parser.add_argument("--idle-seconds", type=float, default=15)
    given = parser.parse_args()
    os.environ["HEDDLE_TEST_BINARY"] = str(given.binary)
    with tempfile.TemporaryDirectory() as folder, \
            scripted_upstream("--delay-ms", "100", "--tokens", "40") as upstream:
        server = Heddle(pathlib.Path(folder) / "data", "--upstream", upstream,
                        "--upload-max", "64MiB", "--log-level", "warn")
        idle = phase(server, given.idle_seconds, loaded=False)
        load = phase(server, 0, loaded=True)
        server.stop()
    report = {"cores": os.cpu_count(), "idle": idle, "load": load,
              "ratio_healthz_p99": round(load["healthz_ms"]["0.99"] / idle["healthz_ms"]["0.99"], 2),
              "ratio_longest_gap_p99": round(load["longest_gap_ms"]["p99"] /
                                             idle["longest_gap_ms"]["p99"], 2)}
    pathlib.Path(given.out).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(given.out).write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
