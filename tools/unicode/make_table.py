#!/usr/bin/env python3
"""Writes src/text/unicode_table.cpp: what the Hugging Face `tokenizers` library believes of every
code point, asked of the library itself (its parts use data of several Unicode versions, and
identical token ids need identical beliefs).

    pip install tokenizers==0.23.3; tools/unicode/make_table.py > src/text/unicode_table.cpp
"""
from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp "
              "Cc Cf Co Cs").split()
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def isolated(pre_tokenizer, frame="\x01"):
    return {c for c in CODE_POINTS
            if len(pre_tokenizer.pre_tokenize_str(frame + chr(c) + frame)) == 3}


def regex(pattern):
    frame = "a" if pattern == r"\p{Cc}" else "\x01"  # the frame may not match the pattern
    return isolated(pre_tokenizers.Split(Regex(pattern), "isolated"), frame)


def dropped(normalizer):
    return {c for c in CODE_POINTS if normalizer.normalize_str(f"a{chr(c)}b") == "ab"}


def bert(**flags):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**(off | flags))


# Bits above the five of the category; the order is that of unicode.h.
FLAGS = [
    regex(r"\s"),
    {c for c in CODE_POINTS  # the words of the Whitespace pre-tokenizer
     if len(pre_tokenizers.Whitespace().pre_tokenize_str(f"a{chr(c)}b")) == 1},
    isolated(pre_tokenizers.Digits(True)),
    regex(r"\p{Han}"),
    isolated(pre_tokenizers.BertPreTokenizer(), "a")
    - {c for c in CODE_POINTS if len(pre_tokenizers.WhitespaceSplit().pre_tokenize_str(
        f"a{chr(c)}b")) == 2},
    dropped(bert(strip_accents=True)),
    dropped(normalizers.StripAccents()),
    dropped(bert(clean_text=True)),
    regex(r"\p{Hiragana}") | regex(r"\p{Katakana}"),
    regex(r"\p{Hangul}"),
]


def main():
    values = [0] * 0x110000
    for index, name in enumerate(CATEGORIES):
        if name not in ("Cn", "Cs"):
            for c in regex(r"\p{%s}" % name):
                values[c] = index
    for c in range(0xD800, 0xE000):
        values[c] = CATEGORIES.index("Cs")
    for bit, members in enumerate(FLAGS):
        for c in members:
            values[c] |= 1 << (bit + 5)
    runs = []
    for value in values:
        if runs and runs[-1][1] == value:
            runs[-1][0] += 1
        else:
            runs.append([1, value])
    words = [f"{length << 15 | value:#x}," for length, value in runs]
    lines, line = [], "   "
    for word in words:
        if len(line) + 1 + len(word) > 100:
            lines.append(line)
            line = "   "
        line += " " + word
    lines.append(line)
    print("// Made by tools/unicode/make_table.py; not edited by hand.")
    print('#include "text/unicode_table.h"\n\nnamespace heddle::text {\n')
    print("// clang-format off")
    print(f"const std::array<std::uint64_t, {len(runs)}> kUnicodeRuns = {{{{")
    print("\n".join(lines))
    print("}};\n// clang-format on\n\n}  // namespace heddle::text")


main()
