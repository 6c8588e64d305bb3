// The vocabularies of real models, as GGUF files with texts (.inp) and the ids that their own
// tokenizers give (.out). They are not part of this tree: `./dev setup --for-tests` stages them, or
// HEDDLE_GGUF_VOCABULARIES names a folder of such files.
#include "text/tokenizer_vocabulary.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "text/gguf_testing.h"

namespace heddle::text {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + separator.size());
    }
}

std::vector<TokenId> parse_ids(std::string_view line) {
    std::vector<TokenId> ids;
    while (true) {
        while (line.starts_with(' ')) line.remove_prefix(1);
        TokenId id = 0;
        const auto result = std::from_chars(line.data(), line.data() + line.size(), id);
        if (result.ec != std::errc()) return ids;
        ids.push_back(id);
        line.remove_prefix(static_cast<std::size_t>(result.ptr - line.data()));
    }
}

TEST(TokenizerVocabulary, EqualsTheModelsOwnTokenizers) {
    const char* named = std::getenv("HEDDLE_GGUF_VOCABULARIES");
    const fs::path folder = named != nullptr ? named : HEDDLE_LLAMA_CPP_MODELS;
    if (!fs::is_directory(folder)) GTEST_SKIP() << "./dev setup --for-tests stages vocabularies";
    std::size_t compared = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        SCOPED_TRACE(entry.path().filename().string());
        const auto tokenizer = tokenizer_from_vocabulary(read_gguf_vocabulary(entry.path()));
        ASSERT_TRUE(tokenizer) << tokenizer.error().message();
        if (!fs::exists(entry.path().string() + ".inp")) continue;
        const auto texts =
            split(read_file(entry.path().string() + ".inp"), "\n__ggml_vocab_test__\n");
        const auto lines = split(read_file(entry.path().string() + ".out"), "\n");
        ASSERT_GE(lines.size(), texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i, ++compared) {
            EXPECT_EQ((*tokenizer)->encode(texts[i], {.add_special = false}), parse_ids(lines[i]))
                << texts[i];
        }
    }
    EXPECT_GT(compared, 0u);
}

VocabularyData tiny_vocabulary() {
    VocabularyData data;
    data.model = "llama";
    data.tokens = {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab", "\u2581ab"};
    data.scores = {0, 0, 0, -10, -11, -12, -1, -2, -3};
    data.token_types = {2, 3, 3, 1, 1, 1, 1, 1, 1};
    data.unknown = 0;
    data.bos = 1;
    data.eos = 2;
    return data;
}

TEST(TokenizerVocabulary, MergesTheHighestScoreFirst) {
    const auto tokenizer = tokenizer_from_vocabulary(tiny_vocabulary()).value();
    EXPECT_EQ(tokenizer->encode("ab a"), (std::vector<TokenId>{1, 8, 6}));
    EXPECT_EQ(tokenizer->encode("xx</s>", {.add_special = false}), (std::vector<TokenId>{3, 0, 2}));
    EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{1, 8, 6}), "ab a");
}

TEST(TokenizerVocabulary, RefusesWhatContradictsItself) {
    const auto code_of = [](VocabularyData data) {
        return tokenizer_from_vocabulary(std::move(data)).error().code();
    };
    VocabularyData data = tiny_vocabulary();
    data.scores.pop_back();
    EXPECT_EQ(code_of(data), ErrorCode::kCorrupt);
    data = tiny_vocabulary();
    data.eos = 9;
    EXPECT_EQ(code_of(data), ErrorCode::kCorrupt);
    data = tiny_vocabulary();
    data.tokens.clear();
    EXPECT_EQ(code_of(data), ErrorCode::kCorrupt);
    data = tiny_vocabulary();
    data.model = "rwkv";
    EXPECT_EQ(code_of(data), ErrorCode::kUnimplemented);
    data = tiny_vocabulary();
    data.model = "gpt2";
    data.pre = "nobody-knows";
    EXPECT_EQ(code_of(data), ErrorCode::kUnimplemented);
    data.pre = "gpt-2";
    data.merges = {"a z"};
    EXPECT_EQ(code_of(data), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace heddle::text
