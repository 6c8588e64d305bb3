#!/usr/bin/env python3
"""What the Hugging Face `tokenizers` library makes of strings that are hard on tokenizers.

    pip install tokenizers==0.23.3
    make_tokenizer_goldens.py [--count N] [--seed S] [--only KIND] OUT_DIR [TOKENIZER_JSON ...]

Without further arguments it trains a small tokenizer of each kind (KINDS) and writes
OUT_DIR/<kind>.tokenizer.json beside OUT_DIR/<kind>.cases.jsonl; with paths of tokenizer.json files
it writes cases for those. A case is {"text", "ids", "plain", "decoded"}: ids with and without the
special tokens around the text, and the text that ids decode to.
"""
import argparse
import json
import os
import random
import sys
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tokenizer_kinds import KINDS  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

WORDS = """the of and to a in is it you that he was for on are with as I his they be at one have this
from or had by hot but some what there we can out other were all your when up use word how said an
each she which do their time if will way about many then them would write like so these her long
make thing see him two has look more day could go come did my sound no most number who over know
water than call first people may down side been now find don't I'm we've they'll it's you're can't
HELLO World Straße naïve café façade coöperate résumé Ångström Łódź İstanbul ΑΘΗΝΑ Σίσυφος Привет
мир здравствуйте 你好 世界 東京 日本語 テスト ひらがな 한국어 안녕하세요 مرحبا שלום नमस्ते สวัสดี ภาษาไทย
tokenization antidisestablishmentarianism 3.14159 1,234,567 2026-11-22 0x7fff user@example.com
https://example.com/a?b=c#d C++20 std::vector<int> foo_bar fooBar __init__ #include
""".split()
SPECIAL = ["<s>", "</s>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "<|im_start|>",
           "<|im_end|>", "<|endoftext|>", "<added>", "Two words", "<mask>", "##ing", "▁", "▁the",
           "<0x41>", "Ġ", "'s", "'S", "'ſ", "'LL", "'Ve"]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u200b",
          "\u0085", "\x0b", "\x1c", " \n", "\n ", "        ", "\u202f"]
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "🤣", "✨", "☃", "⚠️", "🏴‍☠️", "1️⃣"]
MARKS = ["\u0301", "\u0300", "\u0323", "\u0308", "\u20dd", "\u0488", "\u093e", "\u0e31", "\u05b0",
         "\u3099", "\u200d", "\ufe0f", "\u0345"]
ODD = ["\x00", "\x01", "\x7f", "\u00ad", "\ufffd", "\ufeff", "\u2060", "\ue000", "ﬁ", "Ⅷ", "①", "½",
       "²", "㍿", "ﷺ", "Ǆ", "ǆ", "ß", "ẞ", "İ", "ı", "ς", "Σ", "ﾊﾟ", "가", "각", "ㄱ", "Å", "℃", "…",
       "‥", "—", "–", "“", "”", "„", "«", "»", "・", "。", "！", "？", "、", "〜", "￥", "€", "₿", "\u0378", "\U0001fbfe"]
BLOCKS = [(0x20, 0x7e), (0xa0, 0x24f), (0x250, 0x36f), (0x370, 0x52f), (0x590, 0x6ff),
          (0x900, 0xdff), (0xe00, 0x109f), (0x1e00, 0x20cf), (0x2100, 0x2bff), (0x3000, 0x30ff),
          (0x3400, 0x9fff), (0xac00, 0xd7a3), (0xf900, 0xffee), (0x10000, 0x10fff),
          (0x1d400, 0x1d7ff), (0x1f300, 0x1faff), (0x20000, 0x2a6df), (0xe0000, 0xe01ef)]


def random_character(rng):
    while True:
        c = rng.randint(*rng.choice(BLOCKS))
        # PCRE2, which reads the expressions that have no scanner, knows Unicode 14.
        if unicodedata.category(chr(c)) not in ("Cn", "Cs"):
            return chr(c)


def random_part(rng):
    kind = rng.random()
    if kind < 0.35:
        word = rng.choice(WORDS)
        return rng.choice([word, " " + word, word.upper(), word.capitalize(), word + " "])
    if kind < 0.45:
        return rng.choice(SPACES)
    if kind < 0.52:
        return rng.choice(SPECIAL)
    if kind < 0.58:
        return rng.choice(EMOJI)
    if kind < 0.64:
        return rng.choice(MARKS) * rng.randint(1, 2)
    if kind < 0.70:
        return rng.choice(ODD)
    if kind < 0.78:
        return "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 8)))
    if kind < 0.86:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in
                       range(rng.randint(1, 4)))
    if kind < 0.93:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ") for _ in
                       range(rng.randint(1, 12)))
    if kind < 0.94:
        return rng.choice("aA .=-é中") * rng.randint(2, 150)
    return "".join(random_character(rng) for _ in range(rng.randint(1, 4)))


def random_text(rng):
    return "".join(random_part(rng) for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 8, 13, 21])))


def write_cases(tokenizer, path, count, seed):
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as out:
        for _ in range(count):
            text = random_text(rng)
            ids = tokenizer.encode(text).ids
            plain = tokenizer.encode(text, add_special_tokens=False)
            case = {"text": text, "ids": ids, "plain": plain.ids, "decoded": tokenizer.decode(ids)}
            out.write(json.dumps(case, ensure_ascii=True, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("tokenizers", nargs="*")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    if args.tokenizers:
        for path in args.tokenizers:
            name = os.path.basename(os.path.dirname(os.path.abspath(path)))
            tokenizer = Tokenizer.from_file(path)
            tokenizer.no_padding()
            tokenizer.no_truncation()
            tokenizer.save(os.path.join(args.out, name + ".tokenizer.json"))
            write_cases(tokenizer, os.path.join(args.out, name + ".cases.jsonl"), args.count,
                        args.seed)
        return
    for name, train in KINDS.items():
        if args.only and args.only != name:
            continue
        path = os.path.join(args.out, name + ".tokenizer.json")
        if os.path.exists(path):  # trained once; the cases are what is made anew
            tokenizer = Tokenizer.from_file(path)
        else:
            tokenizer = train()
            tokenizer.save(path, pretty=False)
        write_cases(tokenizer, os.path.join(args.out, name + ".cases.jsonl"), args.count,
                    args.seed)
        print(f"{name}: {args.count} cases")


if __name__ == "__main__":
    main()
