"""Writes tests/golden/model/minilm.safetensors: token ids of 32 texts and what
sentence-transformers makes of them. Usage: make_embedder_golden.py MODEL_FOLDER"""
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

WORDS = ("the quick brown fox jumps over a lazy dog while measured winds of autumn carry "
         "unusual signals from engines, wings and wires; whether pressure rises or falls, "
         "boundary layers behave as experiments at supersonic speed have shown before").split()
TEXTS = ["a", ".", "Hello, world!", "naïve café — “quoted”", "日本語の文章をここに書きます。",
         "Это предложение на русском языке.", "int main() { return 0; }", "3.14159 2,718 1e-9",
         "emoji 😀 and symbols ∑∫√", "https://example.org/path?query=1", "ALL CAPS SHOUTING",
         "هذه جملة باللغة العربية"]
TEXTS += [" ".join(WORDS[(i * 7 + j * (i + 1)) % len(WORDS)] for j in range(3 + 9 * i)) for i in range(20)]

model = SentenceTransformer(sys.argv[1], device="cpu")
ids = [model.tokenizer(t, truncation=True, max_length=256)["input_ids"] for t in TEXTS]
save_file({"ids": np.concatenate([np.array(i, np.int32) for i in ids]),
           "lengths": np.array([len(i) for i in ids], np.int32),
           "vectors": model.encode(TEXTS, normalize_embeddings=True).astype(np.float32)},
          pathlib.Path(__file__).parent / "model" / "minilm.safetensors")
