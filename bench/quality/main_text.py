#!/usr/bin/env python3
"""Scores main-text extraction on the WCXB development pages, beside trafilatura in the same run.

Usage: main_text.py --build build/release [--json OUT] [--worst N]. Needs tools/eval_data html, the
program main_text_dump, and trafilatura (with lxml_html_clean) in the Python that runs this. Word F1
is the benchmark's own (evaluate.py); times are processor time of one thread, without reading files.
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import subprocess
import tempfile
import time
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WCXB = ROOT / "build" / "eval_data" / "html" / "wcxb"


def evaluator():
    spec = importlib.util.spec_from_file_location("wcxb_evaluate", WCXB / "evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages():
    found = {}
    for path in sorted((WCXB / "dev" / "ground-truth").glob("*.json")):
        truth = json.loads(path.read_text())
        html = gzip.open(WCXB / "dev" / "html" / f"{path.stem}.html.gz").read()
        found[path.stem] = (truth["url"], html)
    return found


def ours(build, found):
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for name, (url, html) in found.items():
            path = pathlib.Path(folder) / f"{name}.html"
            path.write_bytes(html)
            lines.append(f"{path}\t{url}\n")
        run = subprocess.run([build / "bench" / "quality" / "main_text_dump"],
                             input="".join(lines), capture_output=True, text=True, check=True)
    texts, seconds = {}, 0.0
    for line in run.stdout.strip().split("\n"):
        answer = json.loads(line)
        texts[pathlib.Path(answer["path"]).stem] = answer["text"]
        seconds += answer["seconds"]
    return texts, seconds


def peer(found):
    try:
        import trafilatura
    except ImportError:
        return {}, 0.0, None
    texts = {}
    start = time.process_time()
    for name, (url, html) in found.items():
        texts[name] = trafilatura.extract(html, url=url, include_comments=True) or ""
    return texts, time.process_time() - start, trafilatura.__version__


def score(evaluate, truth, texts):
    kinds, overall = defaultdict(list), []
    for name, gold in truth.items():
        f1 = evaluate.word_f1(texts.get(name, ""), gold["main_content"])[2]
        kinds[gold["page_type"]].append(f1)
        overall.append(f1)
    figures = {kind: round(sum(f) / len(f), 4) for kind, f in sorted(kinds.items())}
    return {"overall": round(sum(overall) / len(overall), 4), "by_type": figures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worst", type=int, default=0)
    arguments = parser.parse_args()
    evaluate, found = evaluator(), pages()
    truth = evaluate.load_ground_truth("dev")
    texts, seconds = ours(arguments.build.resolve(), found)
    report = {"pages": len(found), "heddle": score(evaluate, truth, texts)}
    report["heddle"]["pages_per_second"] = round(len(found) / seconds, 1)
    peer_texts, peer_seconds, version = peer(found)
    if version:
        report["trafilatura"] = score(evaluate, truth, peer_texts)
        report["trafilatura"]["version"] = version
        report["trafilatura"]["pages_per_second"] = round(len(found) / peer_seconds, 1)
        report["speed_ratio"] = round(peer_seconds / seconds, 1)
    print(json.dumps(report, indent=2))
    worst = sorted((evaluate.word_f1(texts[n], truth[n]["main_content"])[2], n) for n in truth)
    for f1, name in worst[:arguments.worst]:
        print(f"{f1:.3f} {name} {truth[name]['page_type']} {found[name][0]}")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


main()
