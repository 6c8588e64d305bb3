#!/usr/bin/env python3
"""Memory of the server: idle with the embedder, and while 1 GB is uploaded.

Private memory is what /proc/PID/smaps_rollup calls Private_Dirty: what nobody else has and no file
backs (the mapped weights are not in it).

  bench/memory/run.py [--megabytes 1024] [--out bench/results/memory.json]
"""

import argparse
import http.client
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api"))
from conftest import Heddle, make_pdf  # noqa: E402


def private_bytes(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Private_Dirty")


def upload(port, megabytes):
    head = (b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big.pdf\"\r\n"
            b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\n")
    tail = b"\r\n--b--\r\n"
    piece = os.urandom(1 << 20)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
    connection.putrequest("POST", "/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(len(head) + len(tail) + megabytes * len(piece)))
    connection.endheaders()
    connection.send(head)
    for _ in range(megabytes):
        connection.send(piece)
    connection.send(tail)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


def peak_while(pid, work):
    peak = [private_bytes(pid)]
    done = threading.Event()

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], private_bytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        outcome = work()
    finally:
        done.set()
        watcher.join()
    return peak[0], outcome


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--out", default=ROOT / "bench/results/memory.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Heddle(pathlib.Path(folder) / "data", "--upload-max", "2GiB")
        # One real question first, so that everything that is made on first use is there.
        document = server.upload("a.pdf", make_pdf([["The pump starts at noon."]])).json()["id"]
        server.wait_ready(document)
        server.post("/generate/text", {"prompt": "When does the pump start?"})
        time.sleep(1)
        idle = private_bytes(server.process.pid)
        start = time.time()
        peak, (status, reply) = peak_while(server.process.pid,
                                           lambda: upload(server.port, given.megabytes))
        seconds = time.time() - start
        server.request("DELETE", f"/documents/{reply['id']}")
        server.stop()
    report = {"idle_private_mb": round(idle / 1e6, 1), "upload_megabytes": given.megabytes,
              "upload_status": status, "upload_adds_mb": round((peak - idle) / 1e6, 1),
              "upload_mb_per_s": round(given.megabytes / seconds)}
    pathlib.Path(given.out).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(given.out).write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
