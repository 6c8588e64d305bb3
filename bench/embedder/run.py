"""Compares the embedder with sentence-transformers and onnxruntime: vectors, ranks and time.

Needs torch, sentence-transformers, onnxruntime, onnx and scipy, and the evaluation data unpacked.
  run.py BENCH_EMBEDDER MODEL_FOLDER DATA_FOLDER WORK_FOLDER [equality|ranks|speed...]
"""
import csv
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

import numpy as np

THREADS = int(os.environ.get("BENCH_THREADS", "2"))
binary, model_folder, data, work = (pathlib.Path(p) for p in sys.argv[1:5])
wanted = sys.argv[5:] or ["equality", "ranks", "speed"]
work.mkdir(parents=True, exist_ok=True)


def stsb():
    with (data / "stsb/data/stsb-en-dev.csv").open(encoding="utf-8", newline="") as file:
        return [(a, b, float(score)) for a, b, score in csv.reader(file)]


def abstracts():
    text = (data / "cranfield/cran.all.1400.xml").read_text(errors="replace")
    return [" ".join(t.split()) for t in re.findall(r"<text>(.*?)</text>", text, re.S) if t.strip()]


ODD = ["a", ".", "?!", " ", "Ünïcödé wörds with Çedillas", "naïve café — “quoted” … dash–dash",
       "日本語の文章をここに書きます。", "한국어 문장입니다.", "Это предложение на русском языке.",
       "هذه جملة باللغة العربية", "זהו משפט בעברית", "मैं हिंदी में लिख रहा हूँ", "ประโยคภาษาไทย",
       "emoji 😀👩‍👩‍👧 and symbols ∑∫√ ±×÷", "int main() { return std::vector<int>{1,2}.size(); }",
       "https://example.org/path?query=1&other=two#part", "user@example.org", "3.14159 2,718 1e-9",
       "x" * 300, "word " * 400, "ALL CAPS SHOUTING", "tab\tnew\nline\r\nmixed", "\u200bzero width",
       "[CLS] written [SEP] by hand [MASK]", "0123456789" * 20, "(((nested))) [[brackets]] {{braces}}"]


def varied(count):
    r = random.Random(3)
    sentences = [t for a, b, _ in stsb() for t in (a, b)]
    long = abstracts()
    pool = r.sample(sentences, 700) + r.sample(long, 200) + ODD
    while len(pool) < count:  # of every length between a word and the limit
        words = " ".join(r.sample(long, 2)).split()
        pool.append(" ".join(words[:r.randrange(1, 220)]))
    return pool[:count]


def ours(texts, kind, repeats=1, step=1024):
    (work / "texts").write_bytes(b"\0".join(t.encode() for t in texts))
    out = subprocess.run([binary, model_folder, work / "texts", work / "vectors", kind,
                          str(THREADS), str(repeats), str(step)],
                         check=True, capture_output=True, text=True).stdout
    vectors = np.fromfile(work / "vectors", np.float32).reshape(len(texts), -1)
    return vectors, [float(s) for s in re.findall(r"cpu ([\d.]+)", out)], out


def sentence_transformers():
    import torch
    torch.set_num_threads(THREADS)
    from sentence_transformers import SentenceTransformer
    return SentenceTransformer(str(model_folder), device="cpu")


def equality():
    texts = varied(1000)
    expected = sentence_transformers().encode(texts, normalize_embeddings=True)
    for kind in ("native", "bf16", "int8"):
        vectors, _, _ = ours(texts, kind)
        cosines = (vectors * expected).sum(1)
        print(f"{kind}: cosine to sentence-transformers over {len(texts)} texts: "
              f"least {cosines.min():.7f}, mean {cosines.mean():.7f}", flush=True)


def ranks():
    from scipy.stats import spearmanr
    rows = stsb()
    gold = [s for *_, s in rows]
    texts = [a for a, *_ in rows] + [b for _, b, _ in rows]
    reference = sentence_transformers().encode(texts, normalize_embeddings=True)

    def spearman(v):
        return spearmanr((v[:len(rows)] * v[len(rows):]).sum(1), gold).statistic

    def ndcg_like(v, w):  # share of the reference's ten nearest passages that are found again
        docs, queries = len(rows), 300
        def nearest(x):
            return np.argsort(-(x[docs:docs + queries] @ x[:docs].T), axis=1)[:, :10]
        return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(nearest(v), nearest(w))])

    print(f"sentence-transformers: Spearman {spearman(reference):.5f}")
    for kind in ("native", "bf16", "int8"):
        vectors, _, _ = ours(texts, kind)
        print(f"{kind}: Spearman {spearman(vectors):.5f}, overlap of the ten nearest "
              f"{ndcg_like(vectors, reference):.4f}", flush=True)


def speed():
    """Processor time, so that what else runs on the machine counts as little as it can."""
    r = random.Random(5)
    texts = varied(1000)
    r.shuffle(texts)
    texts = texts[:256]
    st = sentence_transformers()
    onnx_run = onnx_session(texts)
    runs = {"sentence-transformers": lambda: timed(lambda: st.encode(texts, batch_size=32)),
            "onnxruntime": lambda: timed(onnx_run)}
    for kind in ("native", "bf16", "int8"):
        runs[f"heddle {kind}"] = lambda kind=kind: ours(texts, kind)[1][0]
    times = {name: [] for name in runs}
    for round_ in range(6):
        for name, run in runs.items():
            elapsed = run()
            if round_ > 0:  # the first warms up
                times[name].append(elapsed)
    base = statistics.median(times["sentence-transformers"])
    onnx = statistics.median(times["onnxruntime"])
    print(f"{len(texts)} texts, {THREADS} threads, processor time, median and best of 5, interleaved")
    for name, t in times.items():
        median = statistics.median(t)
        print(f"{name}: median {median:.3f} s, best {min(t):.3f} s, {len(texts) / median:.0f} texts/s, "
              f"{base / median:.2f}x sentence-transformers, {onnx / median:.2f}x onnxruntime", flush=True)


def timed(fn):
    start = time.process_time()
    fn()
    return time.process_time() - start


def onnx_session(texts):
    """onnxruntime as its users run it: sorted by length, batches of 32, padded to the longest."""
    import onnxruntime as ort
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel
    path = work / "model.onnx"
    if not path.exists():
        model = AutoModel.from_pretrained(model_folder, attn_implementation="eager").eval()
        ids = torch.ones((2, 8), dtype=torch.int64)
        axes = {k: {0: "batch", 1: "tokens"} for k in ("input_ids", "attention_mask", "token_type_ids")}
        torch.onnx.export(model, (ids, ids, torch.zeros_like(ids)), str(path), dynamo=False,
                          input_names=list(axes), output_names=["states"],
                          dynamic_axes=axes | {"states": {0: "batch", 1: "tokens"}})
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()

    def run():
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        out = np.zeros((len(texts), 384), np.float32)
        for i in range(0, len(order), 32):
            rows = order[i:i + 32]
            batch = tokenizer.encode_batch([texts[j] for j in rows])
            ids = np.array([e.ids for e in batch])
            mask = np.array([e.attention_mask for e in batch])
            states = session.run(None, {"input_ids": ids, "attention_mask": mask,
                                        "token_type_ids": np.zeros_like(ids)})[0]
            pooled = (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            out[rows] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return out
    return run


for name in wanted:
    {"equality": equality, "ranks": ranks, "speed": speed}[name]()
