#!/usr/bin/env python3
"""Logits and greedy answers of bench_cuda against transformers, on small random models of every
architecture (made here, bf16). For each: the relative error of the logits along our own answers
(against transformers in fp32, and transformers' bf16 against the same, as the measure of what
rounding alone does), and the share of our tokens that are its choice or tie with it.
usage: compare.py BENCH_CUDA MODULE [ARCHITECTURE…]"""
import json
import subprocess
import sys
import tempfile

import numpy
import torch
import transformers as t

t.utils.logging.disable_progress_bar()

BASE = dict(hidden_size=512, intermediate_size=1408, num_hidden_layers=3, num_attention_heads=8,
            num_key_value_heads=2, vocab_size=2048, max_position_embeddings=1024,
            initializer_range=0.05, bos_token_id=1, eos_token_id=2)
ARCHITECTURES = {
    "llama": lambda: t.LlamaConfig(**BASE, head_dim=64),
    "llama3-scaled": lambda: t.LlamaConfig(**BASE, head_dim=128, rope_theta=5e5, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=256)),
    "mistral": lambda: t.MistralConfig(**BASE, head_dim=64, sliding_window=100),
    "qwen2": lambda: t.Qwen2Config(**BASE, tie_word_embeddings=True),
    "qwen3": lambda: t.Qwen3Config(**BASE, head_dim=128),
    "gemma2": lambda: t.Gemma2Config(**BASE, head_dim=256, sliding_window=64,
                                     query_pre_attn_scalar=256),
    "gemma3": lambda: t.Gemma3TextConfig(**{**BASE, "num_hidden_layers": 7}, head_dim=256,
                                         sliding_window=64, query_pre_attn_scalar=256),
    "phi3": lambda: t.Phi3Config(**{**BASE, "hidden_size": 768}, pad_token_id=0),
}
NEW = 24


def forward(model, tokens, prompt):
    """The logits behind each generated token, teacher-forced."""
    ids = torch.tensor([tokens[:-1]], device="cuda")
    with torch.inference_mode():
        return model(ids).logits[0, prompt - 1:].float().cpu().numpy()


def error(a, b):
    return float(numpy.linalg.norm(a - b) / numpy.linalg.norm(b))


def compare(name, bench, module):
    torch.manual_seed(torch.seed() % 2**31)
    config = ARCHITECTURES[name]()
    model = t.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for parameter_name, parameter in model.named_parameters():
        if "bias" in parameter_name or "norm" in parameter_name:
            parameter.data += 0.1 * torch.randn_like(parameter)
    model = model.to(torch.bfloat16).eval()
    lengths = torch.randint(1, 300, (64,)).tolist()
    prompts = [torch.randint(3, BASE["vocab_size"], (n,)).tolist() for n in lengths]
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with open(folder + "/prompts.json", "w") as file:
            json.dump(prompts, file)

        def run(*flags):
            ran = subprocess.run([bench, "logits", module, folder, folder + "/prompts.json",
                                  folder + "/logits", "--new", str(NEW), *flags],
                                 stdout=subprocess.PIPE, text=True, check=True)
            logits = numpy.fromfile(folder + "/logits", numpy.float32)
            return json.loads(ran.stdout), logits.reshape(len(prompts), NEW, -1)

        answers, logits = run()
        alone, _ = run("--alone")
        eager, _ = run("--no-graphs")
        # From the file: frequencies stay fp32, as they do for anyone who loads a model.
        half, full = (t.AutoModelForCausalLM.from_pretrained(
            folder, dtype=kind, attn_implementation="eager").to("cuda").eval()
            for kind in (torch.bfloat16, torch.float32))
    theirs = [forward(half, p + a, len(p)) for p, a in zip(prompts, answers)]
    exact = [forward(full, p + a, len(p)) for p, a in zip(prompts, answers)]
    same = ties = 0
    for i, answer in enumerate(answers):
        for step, token in enumerate(answer):
            row = exact[i][step]
            # What two roundings to bf16 can turn around.
            near = row[token] >= row.max() - 2 * abs(theirs[i][step] - row).max()
            same += int(token == theirs[i][step].argmax())
            ties += int(token != theirs[i][step].argmax() and near)
    count = len(prompts) * NEW
    return dict(architecture=name,
                ours_to_fp32=max(error(logits[i], exact[i]) for i in range(len(prompts))),
                theirs_to_fp32=max(error(theirs[i], exact[i]) for i in range(len(prompts))),
                ours_to_theirs=error(logits, numpy.stack(theirs)),
                tokens=count, same=same / count, rounding_ties=ties / count,
                batch_equals_single=sum(a == b for a, b in zip(answers, alone)) / len(prompts),
                graphs_equal_launches=sum(a == b for a, b in zip(answers, eager)) / len(prompts))


def main():
    bench, module, *names = sys.argv[1:]
    for name in names or ARCHITECTURES:
        try:
            print("RESULT " + json.dumps(compare(name, bench, module)), flush=True)
        except Exception as failure:  # the others are still worth their run
            print(f"FAILED {name}: {failure!r}"[:600], flush=True)


if __name__ == "__main__":
    main()
