#!/usr/bin/env python3
"""Where to cut: cosines of questions with their marked passages and with foreign ones.

Data: evaluation_framework/general_evaluation_data of the Chroma chunking evaluation (MIT).
  bench/quality/threshold.py DATA   (drives build/release/heddle)
"""

import csv
import json
import pathlib
import random
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api"))
from conftest import Heddle  # noqa: E402

QUESTIONS, FOREIGN_EACH, CHARACTERS, SEED = 220, 20, 450, 1


def embed(server, texts):
    vectors = []
    for start in range(0, len(texts), 50):
        reply = server.post("/v1/embeddings", {"model": "all-MiniLM-L6-v2",
                                               "input": texts[start:start + 50]}, timeout=120)
        assert reply.status == 200, reply.body
        vectors += [item["embedding"] for item in reply.json()["data"]]
    return vectors


def main():
    data = pathlib.Path(sys.argv[1])
    rng = random.Random(SEED)
    rows = list(csv.DictReader(open(data / "questions_df.csv")))
    rng.shuffle(rows)
    rows = rows[:QUESTIONS]
    passages = []
    for row in rows:
        corpus = (data / "corpora" / f"{row['corpus_id']}.md").read_text()
        start = max(0, json.loads(row["references"])[0]["start_index"] - 120)
        passages.append(corpus[start:start + CHARACTERS])
    with tempfile.TemporaryDirectory() as folder:
        server = Heddle(pathlib.Path(folder) / "data")
        asked = embed(server, [row["question"] for row in rows])
        found = embed(server, passages)
        server.stop()

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b))

    right = [cosine(q, p) for q, p in zip(asked, found)]
    foreign = [cosine(asked[i], found[j]) for i in range(len(rows))
               for j in rng.sample(range(len(rows)), FOREIGN_EACH)
               if rows[i]["corpus_id"] != rows[j]["corpus_id"]]
    print(f"{len(right)} right, {len(foreign)} foreign pairs")
    for threshold in (0.2, 0.25, 0.3, 0.35, 0.4):
        kept = [sum(c >= threshold for c in group) / len(group) for group in (right, foreign)]
        print(f"{threshold:.2f}  right {kept[0]:.1%}  foreign {kept[1]:.2%}")


if __name__ == "__main__":
    main()
