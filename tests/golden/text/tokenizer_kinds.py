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


KINDS = {
    "wordpiece": lambda: bert(lowercase=True),
    "wordpiece_cased": lambda: bert(lowercase=False),
}
