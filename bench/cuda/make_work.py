#!/usr/bin/env python3
"""The work W1000 as 32-bit integers for bench_cuda: 1,000 prompts of 512 random tokens, then
their output lengths from Exp(mean 128) clipped to [8, 1536]; seed 0, prompts drawn first.
usage: make_work.py VOCABULARY OUT"""
import array
import random
import sys

vocabulary, out = int(sys.argv[1]), sys.argv[2]
draw = random.Random(0)
prompts = [[draw.randrange(3, vocabulary) for _ in range(512)] for _ in range(1000)]
lengths = [min(1536, max(8, int(draw.expovariate(1 / 128)))) for _ in range(1000)]
words = array.array("i", [1000, 512])
for prompt, length in zip(prompts, lengths):
    words.append(length)
    words.extend(prompt)
with open(out, "wb") as file:
    words.tofile(file)
