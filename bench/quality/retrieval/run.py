#!/usr/bin/env python3
"""Retrieval quality on Vaswani and Cranfield: nDCG@10 of keywords, vectors and their fusion.

Embeds documents and questions with bench_embedder, puts them into a collection, asks every
question with each side alone and with both, and scores the rankings. Linear gain, mean over the
questions that have a relevant document; a document is one passage.

    run.py BUILD_FOLDER MODEL_FOLDER QA_FOLDER [RESULT.json]
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile


def clean(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def vaswani(folder):
    base = folder / "vaswani/tests/fixtures/vaswani_npl"
    text = (base / "corpus/doc-text.trec").read_text(errors="replace")
    documents = {m[1]: clean(m[2])
                 for m in re.finditer(r"<DOCNO>(\d+)</DOCNO>(.*?)</DOC>", text, re.S)}
    text = (base / "query-text.trec").read_text()
    questions = {m[1]: clean(m[2]).lower()
                 for m in re.finditer(r"<num>(\d+)</num>\s*<title>(.*?)</title>", text, re.S)}
    return documents, questions, judgements(base / "qrels")


def cranfield(folder):
    base = folder / "cranfield"
    text = (base / "cran.all.1400.xml").read_text(errors="replace")
    documents = {m[1]: clean(m[2])
                 for m in re.finditer(r"<docno>(\d+)</docno>(.*?)</doc>", text, re.S)}
    text = (base / "cran.qry.xml").read_text()
    titles = re.findall(r"<title>(.*?)</title>", text, re.S)
    # The judgements count the questions by position, not by the number in the file.
    questions = {str(i + 1): clean(t) for i, t in enumerate(titles)}
    return documents, questions, judgements(base / "cranqrel.trec.txt")


def judgements(path):
    relevant = {}
    for line in path.read_text().splitlines():
        if len(fields := line.split()) == 4 and int(fields[3]) > 0:
            relevant.setdefault(fields[0], {})[fields[2]] = int(fields[3])
    return relevant


def ndcg(ranking, relevant, depth=10):
    gain = sum(relevant.get(d, 0) / math.log2(i + 2) for i, d in enumerate(ranking[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    return gain / sum(g / math.log2(i + 2) for i, g in enumerate(best))


def embed(build, model, texts, into):
    listed = into.with_name(into.name + ".txt")
    listed.write_bytes(b"".join(t.encode() + b"\0" for t in texts))
    if not into.exists() or into.stat().st_size != len(texts) * 384 * 4:
        subprocess.run([build / "bench/embedder/bench_embedder", model, listed, into, "native",
                        "2"], check=True, stdout=subprocess.DEVNULL)


def rank(build, cache, name, modes):
    with tempfile.TemporaryDirectory() as scratch:
        out = subprocess.run([build / "bench/quality/retrieval/bench_retrieval", cache / name,
                              scratch, json.dumps(modes)], check=True, capture_output=True)
    return json.loads(out.stdout)


MODES = {
    "keyword": {"dense": False},
    "dense": {"keyword": False},
    "fused": {},
}


def main():
    build, model, qa = (pathlib.Path(a).absolute() for a in sys.argv[1:4])
    cache = build / "eval_data" / "retrieval"
    cache.mkdir(parents=True, exist_ok=True)
    result = {}
    for name, read in (("vaswani", vaswani), ("cranfield", cranfield)):
        documents, questions, relevant = read(qa)
        embed(build, model, list(documents.values()), cache / f"{name}.documents")
        embed(build, model, list(questions.values()), cache / f"{name}.questions")
        ids = list(documents)
        rankings = rank(build, cache, name, MODES)
        result[name] = {"documents": len(documents), "questions": len(relevant)}
        for mode, rows in rankings["rankings"].items():
            scores = [ndcg([ids[int(d)] for d in row], relevant[q])
                      for q, row in zip(questions, rows) if q in relevant]
            result[name][f"ndcg@10 {mode}"] = round(sum(scores) / len(scores), 4)
        result[name]["questions_per_second"] = rankings["questions_per_second"]
    print(json.dumps(result, indent=2))
    if len(sys.argv) > 4:
        pathlib.Path(sys.argv[4]).write_text(json.dumps(result, indent=2) + "\n")


main()
