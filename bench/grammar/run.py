#!/usr/bin/env python3
"""Times JSON schema masks against llguidance on the same tokens and instances.

Needs llguidance, tokenizers, gguf and numpy, a vocabulary as GGUF, and the maskbench folder of the
evaluation data. Means are over the instances that both sides compile and accept, of the thread's
processor time.
  run.py BENCH_GRAMMAR VOCAB.gguf MASKBENCH_FOLDER WORK_FOLDER RESULT.json
"""
import importlib.metadata
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import time

import gguf
import llguidance
import llguidance.numpy
import tokenizers

binary, vocab, maskbench, work, result = (pathlib.Path(p) for p in sys.argv[1:6])
work.mkdir(parents=True, exist_ok=True)


def byte_level():
    """GPT-2's map from printable characters to bytes."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in keep}
    rest = [b for b in range(256) if b not in keep]
    return table | {chr(256 + i): b for i, b in enumerate(rest)}


def read_vocabulary():
    fields = gguf.GGUFReader(vocab).fields

    def texts(name):
        field = fields[f"tokenizer.ggml.{name}"]
        return [bytes(field.parts[i]).decode() for i in field.data]

    kinds = fields["tokenizer.ggml.token_type"]
    special = [int(kinds.parts[i][0]) != 1 for i in kinds.data]
    return texts("tokens"), special, texts("merges")


def make_tokenizer(tokens, special, merges):
    model = {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges,
             "ignore_merges": True}
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True}
             for i, t in enumerate(tokens) if special[i]]
    split = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
             r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    pre = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
         "use_regex": False}]}
    return json.dumps({"version": "1.0", "truncation": None, "padding": None,
                       "added_tokens": added, "normalizer": None, "pre_tokenizer": pre,
                       "post_processor": None, "decoder": {"type": "ByteLevel",
                                                           "add_prefix_space": True,
                                                           "trim_offsets": True,
                                                           "use_regex": True},
                       "model": model})


def dump_tokens(tokens, special):
    table = byte_level()
    with (work / "tokens.bin").open("wb") as out:
        for token, is_special in zip(tokens, special):
            data = token.encode() if is_special else bytes(table[c] for c in token)
            out.write(struct.pack("<BI", is_special, len(data)) + data)


def load_cases(tokenizer):
    cases = []
    for path in sorted(maskbench.glob("*.json")):
        data = json.loads(path.read_text())
        texts = {valid: [json.dumps(t["data"], ensure_ascii=False) for t in data["tests"]
                         if t["valid"] == valid] for valid in (True, False)}
        cases.append({"schema": json.dumps(data["schema"]),
                      "instances": [tokenizer.encode(t).ids for t in texts[True]],
                      "invalid": [tokenizer.encode(t).ids for t in texts[False]]})
    return cases


def run_peer(case, tokenizer, mask):
    begin = time.thread_time_ns()
    grammar = llguidance.LLMatcher.grammar_from_json_schema(case["schema"])
    matcher = llguidance.LLMatcher(tokenizer, grammar)
    out = {"compile_us": (time.thread_time_ns() - begin) / 1e3, "instances": []}
    if matcher.is_error():
        return {"error": matcher.get_error()}
    def accepts(ids, times):
        matcher.reset()
        for token in ids:
            if times is not None:
                begin = time.thread_time_ns()
                llguidance.numpy.fill_next_token_bitmask(matcher, mask, 0)
                times.append((time.thread_time_ns() - begin) / 1e3)
            if not matcher.consume_token(token):
                return False
        return matcher.is_accepting()

    for ids in case["instances"]:
        times = []
        out["instances"].append({"accepted": accepts(ids, times), "mask_us": times})
    out["invalid_accepted"] = sum(accepts(ids, None) for ids in case["invalid"])
    return out


def summary(times):
    times = sorted(times)
    return {"masks": len(times), "mean_us": round(statistics.fmean(times), 2),
            "p50_us": round(times[len(times) // 2], 2),
            "p99_us": round(times[int(len(times) * 0.99)], 2), "max_us": round(times[-1], 1)}


def main():
    tokens, special, merges = read_vocabulary()
    text = make_tokenizer(tokens, special, merges)
    dump_tokens(tokens, special)
    cases = load_cases(tokenizers.Tokenizer.from_str(text))
    (work / "cases.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cases))
    peer_tokenizer = llguidance.LLTokenizer(text)
    mask = llguidance.numpy.allocate_token_bitmask(1, peer_tokenizer.vocab_size)
    sides = {"heddle": [], "llguidance": []}
    lines = subprocess.run([binary, work / "tokens.bin", work / "cases.jsonl"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    sides["heddle"] = [json.loads(line) for line in lines]
    sides["llguidance"] = [run_peer(case, peer_tokenizer, mask) for case in cases]
    report = {"schemas": len(cases), "vocabulary": len(tokens),
              "peer": f"llguidance {importlib.metadata.version('llguidance')}"}
    both = {"heddle": [], "llguidance": []}
    for ours, theirs in zip(sides["heddle"], sides["llguidance"]):
        for a, b in zip(ours.get("instances", []), theirs.get("instances", [])):
            if a["accepted"] and b["accepted"]:
                both["heddle"] += a["mask_us"]
                both["llguidance"] += b["mask_us"]
    for name, cases_of in sides.items():
        compiled = [c for c in cases_of if "error" not in c]
        instances = [i for c in compiled for i in c["instances"]]
        report[name] = {"compiled": len(compiled),
                        "valid_accepted": sum(i["accepted"] for i in instances),
                        "valid_refused": sum(not i["accepted"] for i in instances),
                        "invalid": sum(len(one["invalid"]) for one, c in zip(cases, cases_of)
                                       if "error" not in c),
                        "invalid_accepted": sum(c["invalid_accepted"] for c in compiled),
                        "compile_mean_us": round(statistics.fmean(c["compile_us"]
                                                                  for c in compiled), 1),
                        "common": summary(both[name])}
    report["mean_ratio"] = round(report["heddle"]["common"]["mean_us"]
                                 / report["llguidance"]["common"]["mean_us"], 3)
    result.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


main()
