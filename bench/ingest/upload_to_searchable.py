"""From the upload of a PDF file until its passages can be searched: Heddle against the pipeline that
the chapter describes (pypdf, pieces of 512 characters, sentence-transformers, qdrant-client in local
mode), both with the same embedding model on the processor of this machine.

usage: upload_to_searchable.py HEDDLE MODEL FILE.pdf [--runs N] [--skip-peer]
HEDDLE is the binary, MODEL a folder in the layout of sentence-transformers. The peer needs pypdf,
sentence-transformers and qdrant-client. Models are loaded before the clock starts.
"""

import argparse
import json
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import urllib.request


def heddle_seconds(binary, model, path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", folder,
             "--embedder", model], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(url + "/readyz").read()
                    break
                except OSError:
                    time.sleep(0.1)
            boundary = "upload-to-searchable"
            body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                    f'filename="{path.name}"\r\nContent-Type: application/pdf\r\n\r\n').encode()
            body += path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
            request = urllib.request.Request(url + "/upload", data=body, headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}"})
            start = time.monotonic()
            document = json.load(urllib.request.urlopen(request))["id"]
            while True:
                info = json.load(urllib.request.urlopen(f"{url}/documents/{document}"))
                if info["state"] in ("ready", "failed"):
                    break
                time.sleep(0.05)
            seconds = time.monotonic() - start
            if info["state"] == "failed":
                raise SystemExit(info["error"])
            return seconds, info["pages"], info["chunks"]
        finally:
            server.terminate()
            server.wait()


def peer_seconds(model, path):
    import pypdf
    import qdrant_client
    from qdrant_client import models
    import sentence_transformers

    embedder = sentence_transformers.SentenceTransformer(model, device="cpu")
    client = qdrant_client.QdrantClient(":memory:")
    size = len(embedder.encode("warm"))
    client.create_collection("knowledgebase", vectors_config=models.VectorParams(
        size=size, distance=models.Distance.COSINE))
    start = time.monotonic()
    text = "".join(page.extract_text() or "" for page in pypdf.PdfReader(path).pages)
    text = re.sub(r"\s+", " ", text).replace(". ,", "").replace("..", ".").replace(". .", ".")
    chunks = [text[i:i + 512] for i in range(0, len(text), 512)]
    for i, chunk in enumerate(chunks):
        client.upsert("knowledgebase", [models.PointStruct(
            id=i, vector=embedder.encode(chunk).tolist(), payload={"text": chunk})])
    return time.monotonic() - start, len(chunks)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("heddle")
    parser.add_argument("model")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--skip-peer", action="store_true")
    arguments = parser.parse_args()
    ours = [heddle_seconds(arguments.heddle, arguments.model, arguments.file)
            for _ in range(arguments.runs)]
    seconds, pages, chunks = min(ours)
    result = {"file": arguments.file.name, "pages": pages,
              "heddle": {"seconds": round(seconds, 2), "chunks": chunks}}
    if not arguments.skip_peer:
        peer, pieces = min(peer_seconds(arguments.model, arguments.file)
                           for _ in range(arguments.runs))
        result["chapter"] = {"seconds": round(peer, 2), "chunks": pieces}
        result["ratio"] = round(peer / seconds, 2)
    print(json.dumps(result, indent=2))


main()
