"""Small tokenizers of every kind that heddle reads, trained on the sentences below."""
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

CORPUS = """
The quick brown fox jumps over the lazy dog while the tokenizer reads every word of the sentence.
It's not what you don't know that gets you into trouble; it's what you know for sure that isn't so.
In 2026 the answer to 1,234,567 questions was given in 3.14 seconds by a service written in C++20.
Le café était fermé, alors nous sommes allés à la boulangerie pour acheter une brioche.
Die Straße führt über die Brücke, und der Bäcker öffnet früh am Morgen seine Türen.
El niño comió una manzana y la niña bebió un vaso de leche; mañana será otro día.
Привет, мир! Сегодня хорошая погода, и мы идём гулять в парк вместе с друзьями.
東京は日本の首都です。今日は天気がいいですね。明日も晴れるでしょう。
你好，世界！今天天气很好，我们一起去公园散步吧。机器学习很有趣。
안녕하세요 세계! 오늘은 날씨가 좋습니다. 공원에 산책하러 갑시다.
def encode(self, text: str) -> list[int]:\n        return [self.vocab[p] for p in text.split()]
for (int i = 0; i < n; ++i) { sum += values[i] * weights[i]; }\n\n\treturn sum;
The people who are making the most of their time are those who know how to use the words they have.
""".strip().split("\n") * 4

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(lowercase, strip_accents=None):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
    t.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=700, special_tokens=SPECIAL, show_progress=False))
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", t.token_to_id("[CLS]")), ("[SEP]", t.token_to_id("[SEP]"))])
    t.decoder = decoders.WordPiece()
    return t



LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
DEEPSEEK = ["\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
            "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]


def byte_level(pre_tokenizer, normalizer=None, ignore_merges=False, prefix_space=False):
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"], show_progress=False))
    t.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    t.add_tokens([AddedToken("<added>", lstrip=True), AddedToken("Two words", single_word=True)])
    t.post_processor = processors.ByteLevel(trim_offsets=prefix_space)
    t.decoder = decoders.ByteLevel()
    return t


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior, invert),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama3():
    t = byte_level(split(LLAMA3), ignore_merges=True)
    t.add_special_tokens(["<s>"])
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1",
                                      special_tokens=[("<s>", t.token_to_id("<s>"))])])
    return t


def deepseek():
    return byte_level(pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(p), "isolated") for p in DEEPSEEK]
        + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))


def sentencepiece_bpe(byte_fallback, legacy):
    """Llama 2, as converted: the whole text one word (legacy), or metaspaces by pre-tokenizer."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    specials = ["<unk>", "<s>", "</s>"]
    if byte_fallback:
        specials += [f"<0x{b:02X}>" for b in range(256)]
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=900, special_tokens=specials, show_progress=False))
    import json
    data = json.loads(t.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if a["id"] < 3]
    if legacy:
        data["pre_tokenizer"] = None
        data["normalizer"] = {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    else:
        data["pre_tokenizer"]["split"] = False
    data["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    t = Tokenizer.from_str(json.dumps(data))
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t


def unigram(byte_fallback=False):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([
        normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if byte_fallback:
        specials += [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(
        vocab_size=900, unk_token="<unk>", special_tokens=specials, show_progress=False))
    import json
    data = json.loads(t.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if a["id"] < 5]
    data["model"]["byte_fallback"] = byte_fallback
    for a in data["added_tokens"]:
        a["lstrip"] = a["content"] == "<mask>"
    t = Tokenizer.from_str(json.dumps(data))
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)])
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()]) \
        if byte_fallback else decoders.Metaspace()
    return t


def word_bpe(normalizer, pre_tokenizer, added=()):
    """Character BPE with suffixes, to try stages on."""
    t = Tokenizer(models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=500, special_tokens=SPECIAL, end_of_word_suffix="</w>", show_progress=False))
    t.add_tokens(list(added))
    t.decoder = decoders.BPEDecoder()
    return t


def stages():
    """Tokenizers that try one stage each."""
    space = pre_tokenizers.WhitespaceSplit()
    n = normalizers
    p = pre_tokenizers
    added = [AddedToken("Two words", normalized=True), AddedToken("<added>", rstrip=True),
             AddedToken("the", single_word=True, normalized=True),
             AddedToken("HELLO", normalized=True, lstrip=True, rstrip=True)]
    return {
        "nfc": lambda: word_bpe(n.NFC(), space),
        "nfd_strip": lambda: word_bpe(n.Sequence([n.NFD(), n.StripAccents(), n.Lowercase()]),
                                      p.Whitespace(), added),
        "nfkc": lambda: word_bpe(n.Sequence([n.NFKC(), n.Strip()]), p.Punctuation("removed")),
        "nfkd": lambda: word_bpe(n.NFKD(), p.Sequence([p.Digits(True), p.Punctuation(
            "merged_with_previous"), space]), added),
        "digits": lambda: word_bpe(n.Replace("e", "EE"), p.Sequence(
            [p.Digits(False), p.Punctuation("merged_with_next"), space])),
        "contiguous": lambda: word_bpe(n.Strip(right=False), p.Sequence(
            [p.Punctuation("contiguous"), p.CharDelimiterSplit(" "), p.FixedLength(4)])),
        "split_removed": lambda: word_bpe(None, p.Split(Regex(r"[\s,.]+"), "removed"), added),
        "split_inverted": lambda: word_bpe(n.Lowercase(), p.Split(
            Regex(r"\w+(?=\s|$)|[^\w\s]"), "removed", invert=True), added),
        "split_literal": lambda: word_bpe(None, p.Split("the", "merged_with_next")),
    }


KINDS = {
    "wordpiece": lambda: bert(lowercase=True),
    "wordpiece_cased": lambda: bert(lowercase=False),
    "gpt2": lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "roberta": lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True),
                                  prefix_space=True),
    "gpt4": lambda: byte_level(split(LLAMA3, "removed", True)),
    "llama3": llama3,
    "qwen2": lambda: byte_level(split(QWEN2), normalizers.NFC()),
    "o200k": lambda: byte_level(split(O200K)),
    "deepseek": deepseek,
    "starcoder": lambda: byte_level(pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])),
    "llama2": lambda: sentencepiece_bpe(byte_fallback=True, legacy=True),
    "llama2_metaspace": lambda: sentencepiece_bpe(byte_fallback=True, legacy=False),
    "sentencepiece_unk": lambda: sentencepiece_bpe(byte_fallback=False, legacy=True),
    "unigram": unigram,
    "unigram_bytes": lambda: unigram(byte_fallback=True),
    **stages(),
}
