#include "text/tokenizer_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/metaspace.h"
#include "text/precompiled_normalizer.h"
#include "text/split_pattern.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_parts.h"
#include "text/unigram.h"
#include "text/utf8.h"
#include "text/word_expressions.h"
#include "text/wordpiece.h"

namespace heddle::text {
namespace {

using PieceType = VocabularyData::PieceType;

tl::unexpected<Error> corrupt(std::string what) {
    return fail(ErrorCode::kCorrupt, "the model's vocabulary: " + what);
}

PieceType type_of(const VocabularyData& data, std::size_t id) {
    if (data.token_types.empty()) return PieceType::kNormal;
    return static_cast<PieceType>(data.token_types[id]);
}

Result<void> check(const VocabularyData& data) {
    const std::size_t size = data.tokens.size();
    if (size == 0 || size > kVocabularySizeMax) return corrupt("it has no sensible size");
    if (!data.scores.empty() && data.scores.size() != size) return corrupt("scores are missing");
    if (!data.token_types.empty() && data.token_types.size() != size) {
        return corrupt("token types are missing");
    }
    if (std::ranges::any_of(data.scores, [](float score) { return std::isnan(score); })) {
        return corrupt("a score is not a number");
    }
    for (const auto& id :
         {data.bos, data.eos, data.unknown, data.separator, data.padding, data.cls, data.mask}) {
        if (id && (*id < 0 || static_cast<std::size_t>(*id) >= size)) {
            return corrupt("a special token is outside of it");
        }
    }
    return {};
}

// Control and user-defined tokens are found in the text before the model sees it.
std::vector<AddedToken> find_added(const VocabularyData& data) {
    std::vector<AddedToken> added;
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
        const PieceType type = type_of(data, id);
        const bool control = type == PieceType::kControl || type == PieceType::kUnknown;
        if ((!control && type != PieceType::kUserDefined) || data.tokens[id].empty()) continue;
        added.push_back(
            {.id = static_cast<TokenId>(id), .content = data.tokens[id], .special = control});
    }
    return added;
}

Vocabulary make_vocabulary(const std::vector<std::string>& tokens) {
    Vocabulary pieces;
    pieces.resize(tokens.size());
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        pieces.set(static_cast<TokenId>(id), tokens[id]);
    }
    pieces.build();
    return pieces;
}

// Merges as BPE files have them, "left right" with the lowest rank first.
Result<std::vector<BpeMerge>> read_merges(const VocabularyData& data, const Vocabulary& pieces) {
    std::vector<BpeMerge> merges;
    std::string merged;
    for (const std::string& line : data.merges) {
        // A piece may begin with a space where words are not byte-level.
        const std::size_t space = line.find(' ', 1);
        if (space == line.npos) return corrupt("a merge has no space");
        const std::string_view left = std::string_view(line).substr(0, space);
        const std::string_view right = std::string_view(line).substr(space + 1);
        merged.assign(left).append(right);
        const auto left_id = pieces.find(left);
        const auto right_id = pieces.find(right);
        const auto merged_id = pieces.find(merged);
        if (!left_id || !right_id || !merged_id) {
            return corrupt("a merge names a piece that it does not have");
        }
        merges.push_back(
            {*left_id, *right_id, static_cast<std::uint32_t>(merges.size()), *merged_id});
    }
    return merges;
}

// SentencePiece merges whichever neighbours make the piece with the highest score: every way to
// cut a piece in two pieces is a merge, ranked by score.
std::vector<BpeMerge> merges_by_score(const VocabularyData& data, const Vocabulary& pieces) {
    std::vector<float> scores = data.scores;
    std::ranges::sort(scores, std::greater<>());
    scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
    std::vector<BpeMerge> merges;
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
        const std::string_view piece = data.tokens[id];
        if (type_of(data, id) != PieceType::kNormal) continue;
        const auto merged = static_cast<TokenId>(id);
        const auto place = std::ranges::lower_bound(scores, data.scores[id], std::greater<>());
        const auto rank = static_cast<std::uint32_t>(place - scores.begin());
        for (std::size_t cut = 1; cut < piece.size(); ++cut) {
            if (floor_utf8(piece, cut) != cut) continue;
            const auto left = pieces.find(piece.substr(0, cut));
            if (!left) continue;
            const auto right = pieces.find(piece.substr(cut));
            if (right) merges.push_back({*left, *right, rank, merged});
        }
    }
    return merges;
}

NormalizerPtr make_metaspace_normalizer(bool prefix) {
    std::vector<NormalizerPtr> parts;
    if (prefix) parts.push_back(make_prepend_normalizer(std::string(kMetaspace)));
    parts.push_back(make_replace_normalizer(" ", std::string(kMetaspace)));
    return make_normalizer_sequence(std::move(parts));
}

DecoderPtr make_sentencepiece_decoder(bool prefix) {
    std::vector<DecoderPtr> parts;
    parts.push_back(make_replace_decoder(std::string(kMetaspace), " "));
    parts.push_back(make_byte_fallback_decoder());
    parts.push_back(make_fuse_decoder());
    if (prefix) parts.push_back(make_strip_decoder(" ", 1, 0));
    return make_decoder_sequence(std::move(parts));
}

Result<void> fill_sentencepiece(const VocabularyData& data, TokenizerParts& parts) {
    if (data.scores.empty()) return corrupt("it has no scores");
    const bool prefix = data.add_space_prefix.value_or(true);
    Vocabulary pieces = make_vocabulary(data.tokens);
    const std::vector<BpeMerge> merges = merges_by_score(data, pieces);
    BpeOptions options;
    options.byte_fallback = true;
    options.fuse_unknown = true;
    options.unknown = data.unknown;
    parts.normalizer = make_metaspace_normalizer(prefix);
    parts.model = std::make_unique<Bpe>(std::move(pieces), merges, std::move(options));
    parts.decoder = make_sentencepiece_decoder(prefix);
    return {};
}

Result<PreTokenizerPtr> make_word_pretokenizer(const WordExpressions& words) {
    std::vector<PreTokenizerPtr> stages;
    for (const std::string_view expression : words.expressions) {
        HEDDLE_TRY(SplitPatternPtr pattern, make_regex_pattern(expression));
        stages.push_back(
            make_split_pretokenizer(std::move(pattern), DelimiterBehavior::kIsolated, false));
    }
    return make_pretokenizer_sequence(std::move(stages));
}

Result<void> fill_byte_level(VocabularyData& data, TokenizerParts& parts) {
    const std::optional<WordExpressions> words = find_word_expressions(data.pre);
    if (!words) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("the pre-tokenizer \"{}\" is not supported", data.pre));
    }
    HEDDLE_TRY(const std::vector<BpeMerge> merges, read_merges(data, parts.pieces));
    Vocabulary bytes;
    bytes.resize(data.tokens.size());
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
        const auto piece = byte_level_bytes(data.tokens[id]);
        if (piece) bytes.set(static_cast<TokenId>(id), *piece);
    }
    bytes.build();
    BpeOptions options;
    options.byte_level = true;
    options.ignore_merges = words->ignore_merges;
    HEDDLE_TRY(parts.pretokenizer, make_word_pretokenizer(*words));
    parts.model = std::make_unique<Bpe>(std::move(bytes), merges, std::move(options));
    parts.decoder = make_byte_level_decoder();
    if (!data.add_bos) data.add_bos = words->add_bos;
    return {};
}

// Gemma 4: merges over whole lines of characters, spaces written as metaspaces.
Result<void> fill_gemma(const VocabularyData& data, TokenizerParts& parts) {
    const bool prefix = data.add_space_prefix.value_or(false);
    Vocabulary pieces = make_vocabulary(data.tokens);
    HEDDLE_TRY(const std::vector<BpeMerge> merges, read_merges(data, pieces));
    BpeOptions options;
    options.byte_fallback = true;
    options.fuse_unknown = true;
    options.unknown = data.unknown;
    parts.normalizer = make_metaspace_normalizer(prefix);
    HEDDLE_TRY(parts.pretokenizer, make_word_pretokenizer({{R"([^\n]+|[\n]+)"}}));
    parts.model = std::make_unique<Bpe>(std::move(pieces), merges, std::move(options));
    parts.decoder = make_sentencepiece_decoder(prefix);
    return {};
}

// In these files a metaspace marks the beginning of a word where WordPiece marks what goes on.
Result<void> fill_wordpiece(VocabularyData& data, TokenizerParts& parts) {
    if (!data.unknown) return corrupt("it has no unknown token");
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
        std::string& piece = data.tokens[id];
        if (piece.starts_with(kMetaspace)) {
            piece.erase(0, kMetaspace.size());
        } else if (type_of(data, id) == PieceType::kNormal) {
            piece.insert(0, "##");
        }
    }
    parts.pieces = make_vocabulary(data.tokens);
    WordPieceOptions options;
    options.unknown = *data.unknown;
    parts.normalizer = make_bert_normalizer({});
    parts.pretokenizer = make_bert_pretokenizer();
    parts.model = std::make_unique<WordPiece>(make_vocabulary(data.tokens), options);
    parts.decoder = make_wordpiece_decoder("##", true);
    if (!data.bos) data.bos = data.cls;
    if (!data.eos) data.eos = data.separator;
    data.add_bos = data.add_bos.value_or(true);
    data.add_eos = data.add_eos.value_or(true);
    return {};
}

Result<void> fill_unigram(VocabularyData& data, TokenizerParts& parts) {
    if (data.scores.empty()) return corrupt("it has no scores");
    std::vector<NormalizerPtr> normalizers;
    if (!data.precompiled_charsmap.empty()) {
        HEDDLE_TRY(NormalizerPtr rules, make_precompiled_normalizer(data.precompiled_charsmap));
        normalizers.push_back(std::move(rules));
    }
    if (data.remove_extra_whitespaces) {
        HEDDLE_TRY(Regex spaces, Regex::compile(" {2,}"));
        normalizers.push_back(make_strip_normalizer(true, true));
        normalizers.push_back(make_regex_normalizer(std::move(spaces), " "));
    }
    parts.normalizer = make_normalizer_sequence(std::move(normalizers));
    const PrependScheme scheme =
        data.add_space_prefix.value_or(true) ? PrependScheme::kAlways : PrependScheme::kNever;
    parts.pretokenizer = make_metaspace_pretokenizer(std::string(kMetaspace), scheme, true);
    // Control pieces and the like stay out: no text becomes one.
    std::vector<double> scores(data.scores.begin(), data.scores.end());
    Vocabulary pieces;
    pieces.resize(data.tokens.size());
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
        if (type_of(data, id) == PieceType::kNormal) {
            pieces.set(static_cast<TokenId>(id), data.tokens[id]);
        }
    }
    pieces.build();
    UnigramOptions options;
    options.unknown = data.unknown;
    parts.model = std::make_unique<Unigram>(std::move(pieces), std::move(scores), options);
    parts.decoder =
        make_metaspace_decoder(std::string(kMetaspace), scheme != PrependScheme::kNever);
    data.add_bos = data.add_bos.value_or(false);
    data.add_eos = data.add_eos.value_or(true);
    return {};
}

PostTemplate make_post_template(const VocabularyData& data) {
    using Source = PostTemplate::Source;
    PostTemplate post;
    const bool bos = data.bos && data.add_bos.value_or(data.model == "llama");
    const bool eos = data.eos && data.add_eos.value_or(false);
    const bool segments = data.model == "bert";
    post.single.clear();
    if (bos) post.single.push_back({Source::kSpecial, {*data.bos}, 0});
    post.single.push_back({Source::kFirst, {}, 0});
    if (eos) post.single.push_back({Source::kSpecial, {*data.eos}, 0});
    post.pair = post.single;
    if (eos && !segments) post.pair.push_back({Source::kSpecial, {*data.eos}, 0});
    const std::uint8_t type_id = segments ? 1 : 0;
    post.pair.push_back({Source::kSecond, {}, type_id});
    if (eos) post.pair.push_back({Source::kSpecial, {*data.eos}, type_id});
    return post;
}

Result<void> fill_model(VocabularyData& data, TokenizerParts& parts) {
    if (data.model == "llama") return fill_sentencepiece(data, parts);
    if (data.model == "gpt2") return fill_byte_level(data, parts);
    if (data.model == "gemma4") return fill_gemma(data, parts);
    if (data.model == "bert") return fill_wordpiece(data, parts);
    if (data.model == "t5") return fill_unigram(data, parts);
    return fail(ErrorCode::kUnimplemented,
                fmt::format("tokenizers of type \"{}\" are not supported", data.model));
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> tokenizer_from_vocabulary(VocabularyData data) {
    HEDDLE_TRY_VOID(check(data));
    auto parts = std::make_unique<TokenizerParts>();
    parts->pieces = make_vocabulary(data.tokens);
    HEDDLE_TRY_VOID(fill_model(data, *parts));
    parts->added = AddedTokens(find_added(data), nullptr);
    parts->post = make_post_template(data);
    parts->special = {.bos = data.bos,
                      .eos = data.eos,
                      .pad = data.padding,
                      .unk = data.unknown,
                      .cls = data.cls,
                      .sep = data.separator,
                      .mask = data.mask};
    return std::make_shared<const Tokenizer>(std::move(parts));
}

}  // namespace heddle::text
