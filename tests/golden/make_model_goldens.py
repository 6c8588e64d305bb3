"""Writes tests/golden/model/*.json: what transformers computes for tiny random models of each
architecture. Weights are not stored: both sides make them from the tensors' names (`values`
below, random_weights in src/model/golden_testing.cpp).

Needs torch, transformers 5.23 and numpy. Usage: make_model_goldens.py [NAME...]
"""
import json
import math
import pathlib
import sys

import numpy as np
import torch
import transformers as tr

OUT = pathlib.Path(__file__).parent / "model"
VOCABULARY = 320
GREEDY = 256


def values(name, shape, salt=0):
    """Uniform numbers from FNV-1a of salt and name and SplitMix64 of the index, scaled by kind."""
    seed = 0xCBF29CE484222325
    for byte in bytes([salt]) + name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & (2**64 - 1)
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0
    if len(shape) == 1:
        u = 1.0 + 0.25 * u if name.endswith("weight") else 0.25 * u
    elif "embed" not in name:
        u = u * math.sqrt(6.0 / shape[-1])
    return u.astype(np.float32).reshape(shape)


def fill(model, salt=0):
    tensors = {}
    state = model.state_dict()
    tied = getattr(model.config, "tie_word_embeddings", False)
    for name, tensor in state.items():
        if not tensor.is_floating_point() or (tied and name in ("lm_head.weight",)):
            continue
        tensors[name] = list(tensor.shape)
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(values(name, tuple(tensor.shape), salt)))
    model.load_state_dict(state)
    if tied and hasattr(model, "tie_weights"):
        model.tie_weights()
    return model.eval(), tensors


def rounded(rows):
    return [[float(f"{v:.7g}") for v in row] for row in rows]


def write(name, golden):
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def prompts():
    r = np.random.default_rng(7)
    return [r.integers(3, VOCABULARY, size=n).tolist() for n in (1, 5, 40)]


@torch.no_grad()
def decoder(name, config, salt=0):
    config._attn_implementation = "eager"
    model, tensors = fill(tr.AutoModelForCausalLM.from_config(config, dtype=torch.float32), salt)
    logits, greedy, gap = [], [], math.inf
    for prompt in prompts():
        ids = list(prompt)
        cache = None
        for step in range(GREEDY):
            # Without the cache: windows and scalings are then what the paper says they are.
            row = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            if step in (0, GREEDY - 1):
                logits.append(row.tolist())
            top = torch.topk(row, 2).values
            gap = min(gap, float(top[0] - top[1]))
            ids.append(int(row.argmax()))
        greedy.append(ids[len(prompt):])
    if gap < 2e-4:  # rounding could swap the two best tokens: take other weights
        return decoder(name, config, salt + 1)
    text = json.loads(config.to_json_string(use_diff=False))
    write(name, {"config": slim(text), "salt": salt, "tensors": tensors, "prompts": prompts(),
                 "logits": rounded(logits), "greedy": greedy})


def slim(config):
    """Without what generation, training and the library itself put into a configuration."""
    drop = ("_", "output_", "return_", "chunk_size", "problem", "transformers_version", "is_",
            "use_cache", "dtype", "initializer", "attention_dropout", "label2id")
    return {k: v for k, v in config.items() if v is not None and not k.startswith(drop)}


@torch.no_grad()
def encoder(name, config, head=None):
    config._attn_implementation = "eager"
    model, tensors = fill((head or tr.AutoModel).from_config(config))
    inputs, states, scores = [], [], []
    r = np.random.default_rng(11)
    for n in (1, 4, 33):
        ids = r.integers(5, VOCABULARY, size=n).tolist()
        types = [0] * n
        if config.type_vocab_size > 1 and n > 1:
            types = [0] * (n // 2) + [1] * (n - n // 2)
        out = model(torch.tensor([ids]), token_type_ids=torch.tensor([types]), output_hidden_states=True)
        last = out.hidden_states[-1][0]
        inputs.append({"ids": ids, "second_segment": types.index(1) if 1 in types else n})
        states += [last[0].tolist(), last[-1].tolist()]
        if head:
            scores.append(out.logits[0].tolist())
    golden = {"config": slim(json.loads(config.to_json_string(use_diff=False))),
              "tensors": tensors, "inputs": inputs, "states": rounded(states)}
    if head:
        golden["config"]["architectures"] = [type(model).__name__]
        golden["scores"] = rounded(scores)
    write(name, golden)


@torch.no_grad()
def jina_bert(name, heads):
    """jina-embeddings-v2: modeling_bert.py beside the published weights, written out."""
    h, inner, layers, eps = heads * 16, 96, 2, 1e-12
    shapes = {"embeddings.word_embeddings.weight": [VOCABULARY, h],
              "embeddings.token_type_embeddings.weight": [2, h],
              "embeddings.LayerNorm.weight": [h], "embeddings.LayerNorm.bias": [h]}
    for i in range(layers):
        p = f"encoder.layer.{i}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= {f"{p}attention.{part}.weight": [h, h], f"{p}attention.{part}.bias": [h]}
        shapes |= {p + "mlp.gated_layers.weight": [2 * inner, h], p + "mlp.wo.weight": [h, inner],
                   p + "mlp.wo.bias": [h]}
        for part in ("attention.output.LayerNorm", "mlp.layernorm"):
            shapes |= {f"{p}{part}.weight": [h], f"{p}{part}.bias": [h]}
    w = {k: torch.from_numpy(values(k, tuple(s))) for k, s in shapes.items()}
    f = torch.nn.functional

    def slopes(n):
        def power(k):
            return [2.0 ** (-8.0 * (i + 1) / k) for i in range(k)]
        whole = 2 ** int(math.log2(n))
        return power(whole) if whole == n else power(whole) + power(2 * whole)[0::2][:n - whole]

    def run(ids, types):
        def norm(x, key):
            return f.layer_norm(x, (h,), w[key + ".weight"], w[key + ".bias"], eps)
        x = norm(w["embeddings.word_embeddings.weight"][ids]
                 + w["embeddings.token_type_embeddings.weight"][types], "embeddings.LayerNorm")
        place = torch.arange(len(ids))
        bias = -torch.tensor(slopes(heads))[:, None, None] * (place[None] - place[:, None]).abs()
        for i in range(layers):
            p = f"encoder.layer.{i}."
            q, k, v = (f.linear(x, w[f"{p}attention.self.{n}.weight"], w[f"{p}attention.self.{n}.bias"])
                       .view(-1, heads, 16).transpose(0, 1) for n in ("query", "key", "value"))
            a = torch.softmax(q @ k.transpose(1, 2) / 4.0 + bias, -1) @ v
            a = a.transpose(0, 1).reshape(-1, h)
            a = f.linear(a, w[p + "attention.output.dense.weight"], w[p + "attention.output.dense.bias"])
            x = norm(a + x, p + "attention.output.LayerNorm")
            g = f.linear(x, w[p + "mlp.gated_layers.weight"])
            g = f.gelu(g[:, :inner]) * g[:, inner:]
            x = norm(f.linear(g, w[p + "mlp.wo.weight"], w[p + "mlp.wo.bias"]) + x, p + "mlp.layernorm")
        return x

    inputs, states = [], []
    r = np.random.default_rng(13)
    for n in (1, 4, 33):
        ids = r.integers(5, VOCABULARY, size=n).tolist()
        last = run(ids, [0] * n)
        inputs.append({"ids": ids, "second_segment": n})
        states += [last[0].tolist(), last[-1].tolist()]
    config = {"model_type": "bert", "architectures": ["JinaBertForMaskedLM"],
              "position_embedding_type": "alibi", "feed_forward_type": "geglu",
              "hidden_size": h, "intermediate_size": inner, "num_attention_heads": heads,
              "num_hidden_layers": layers, "vocab_size": VOCABULARY, "type_vocab_size": 2,
              "max_position_embeddings": 8192, "layer_norm_eps": eps, "hidden_act": "gelu"}
    write(name, {"config": config, "tensors": shapes, "inputs": inputs, "states": rounded(states)})


SMALL = dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
             num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
             bos_token_id=1, eos_token_id=2, pad_token_id=0)


def llama(**more):
    return tr.LlamaConfig(**SMALL, **more)


def rope(kind, **more):
    return {"rope_type": kind, "rope_theta": 10000.0, **more}


WINDOWS = ["sliding_attention", "sliding_attention", "full_attention"]
ENCODER = dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
               num_attention_heads=4, max_position_embeddings=66)

MODELS = {
    "llama": lambda n: decoder(n, llama(tie_word_embeddings=True)),
    "llama_bias": lambda n: decoder(n, llama(attention_bias=True, mlp_bias=True, head_dim=32)),
    "llama_linear": lambda n: decoder(n, llama(rope_parameters=rope("linear", factor=4.0))),
    "llama_dynamic": lambda n: decoder(n, llama(rope_parameters=rope("dynamic", factor=2.0))),
    "llama_llama3": lambda n: decoder(n, llama(rope_parameters=rope(
        "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=64))),
    "llama_yarn": lambda n: decoder(n, llama(rope_parameters=rope(
        "yarn", factor=4.0, original_max_position_embeddings=128))),
    "mistral": lambda n: decoder(n, tr.MistralConfig(**SMALL, sliding_window=24)),
    "qwen2": lambda n: decoder(n, tr.Qwen2Config(**SMALL, use_sliding_window=True,
                                                 sliding_window=24, max_window_layers=1)),
    "qwen3": lambda n: decoder(n, tr.Qwen3Config(**SMALL, head_dim=32)),
    "gemma2": lambda n: decoder(n, tr.Gemma2Config(**SMALL, head_dim=32, query_pre_attn_scalar=32,
                                                   sliding_window=24)),
    "gemma3": lambda n: decoder(n, tr.Gemma3TextConfig(**SMALL, head_dim=32, sliding_window=24,
                                                       query_pre_attn_scalar=24, layer_types=WINDOWS)),
    "phi3": lambda n: decoder(n, tr.Phi3Config(**SMALL, sliding_window=300)),
    "phi3_long": lambda n: decoder(n, tr.Phi3Config(
        **SMALL, original_max_position_embeddings=1024, rope_parameters=rope(
            "longrope", short_factor=[1.0 + 0.1 * i for i in range(8)],
            long_factor=[1.0 + i for i in range(8)]))),
    "bert": lambda n: encoder(n, tr.BertConfig(**ENCODER)),
    "bert_reranker": lambda n: encoder(n, tr.BertConfig(**ENCODER, num_labels=1),
                                       tr.AutoModelForSequenceClassification),
    "roberta": lambda n: encoder(n, tr.RobertaConfig(**ENCODER, type_vocab_size=1, pad_token_id=1)),
    "xlm_roberta_reranker": lambda n: encoder(
        n, tr.XLMRobertaConfig(**ENCODER, type_vocab_size=1, pad_token_id=1, num_labels=1),
        tr.AutoModelForSequenceClassification),
    "jina_bert": lambda n: jina_bert(n, 4),
    "jina_bert_6_heads": lambda n: jina_bert(n, 6),
}

if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for wanted in sys.argv[1:] or MODELS:
        MODELS[wanted](wanted)
