"""Random models of two layers with real tokenizers, as Hugging Face folders: a Llama that writes,
a BERT that ranks.

What they say means nothing: tests over them check the mechanism, not the quality. The same folder
comes out every time. Usage: tiny_model.py FOLDER
"""

import json
import math
import pathlib
import random
import shutil
import struct
import sys
from array import array

ROOT = pathlib.Path(__file__).resolve().parents[1]
VOCABULARY, HIDDEN, INNER, LAYERS, HEADS, KV_HEADS, CONTEXT = 704, 64, 96, 2, 4, 2, 2048
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for call in m.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def shapes():
    head = HIDDEN // HEADS
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    yield "model.norm.weight", (HIDDEN,)
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (HIDDEN,)
        yield at + "post_attention_layernorm.weight", (HIDDEN,)
        yield at + "self_attn.q_proj.weight", (HIDDEN, HIDDEN)
        yield at + "self_attn.k_proj.weight", (KV_HEADS * head, HIDDEN)
        yield at + "self_attn.v_proj.weight", (KV_HEADS * head, HIDDEN)
        yield at + "self_attn.o_proj.weight", (HIDDEN, HIDDEN)
        yield at + "mlp.gate_proj.weight", (INNER, HIDDEN)
        yield at + "mlp.up_proj.weight", (INNER, HIDDEN)
        yield at + "mlp.down_proj.weight", (HIDDEN, INNER)


def values(name, shape, rng):
    count = math.prod(shape)
    if len(shape) == 1:
        return array("f", [1.0] * count)
    bound = 1.0 if "embed" in name else math.sqrt(6 / shape[-1])
    return array("f", (rng.uniform(-bound, bound) for _ in range(count)))


def write_weights(folder, shapes_of_all):
    rng = random.Random(7)
    header, data = {}, b""
    for name, shape in shapes_of_all:
        part = values(name, shape, rng).tobytes()
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)


def make(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, shapes())
    (folder / "config.json").write_text(json.dumps({
        "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HIDDEN // HEADS,
        "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
        "bos_token_id": 0, "eos_token_id": 701}))
    (folder / "generation_config.json").write_text(json.dumps(
        {"eos_token_id": [701, 0], "temperature": 0.9}))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"eos_token": "<|im_end|>", "chat_template": TEMPLATE}))
    shutil.copy(ROOT / "tests/golden/text/gpt2.tokenizer.json", folder / "tokenizer.json")
    return folder


def reranker_shapes():
    yield "bert.embeddings.word_embeddings.weight", (640, HIDDEN)
    yield "bert.embeddings.position_embeddings.weight", (128, HIDDEN)
    yield "bert.embeddings.token_type_embeddings.weight", (2, HIDDEN)
    norms = ["bert.embeddings.LayerNorm"]
    for layer in range(LAYERS):
        at = f"bert.encoder.layer.{layer}."
        norms += [at + "attention.output.LayerNorm", at + "output.LayerNorm"]
        for name in ("attention.self.query", "attention.self.key", "attention.self.value",
                     "attention.output.dense"):
            yield at + name + ".weight", (HIDDEN, HIDDEN)
            yield at + name + ".bias", (HIDDEN,)
        yield at + "intermediate.dense.weight", (INNER, HIDDEN)
        yield at + "intermediate.dense.bias", (INNER,)
        yield at + "output.dense.weight", (HIDDEN, INNER)
        yield at + "output.dense.bias", (HIDDEN,)
    for norm in norms:
        yield norm + ".weight", (HIDDEN,)
        yield norm + ".bias", (HIDDEN,)
    yield "bert.pooler.dense.weight", (HIDDEN, HIDDEN)
    yield "bert.pooler.dense.bias", (HIDDEN,)
    yield "classifier.weight", (1, HIDDEN)
    yield "classifier.bias", (1,)


def make_reranker(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, reranker_shapes())
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "architectures": ["BertForSequenceClassification"],
        "vocab_size": 640, "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "hidden_act": "gelu",
        "max_position_embeddings": 128, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "pad_token_id": 0, "id2label": {"0": "relevance"}}))
    shutil.copy(ROOT / "tests/golden/text/wordpiece.tokenizer.json", folder / "tokenizer.json")
    return folder


if __name__ == "__main__":
    print(make(sys.argv[1]))
