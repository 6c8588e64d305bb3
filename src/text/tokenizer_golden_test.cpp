// Token ids and decoded text equal those of the Hugging Face `tokenizers` library, on strings that
// are hard on tokenizers and on one small tokenizer of each kind (tests/golden/text). With
// HEDDLE_TEST_SCALE=full the library is asked anew, 100,000 strings a kind; HEDDLE_ORACLE_PYTHON
// names a Python that has it. HEDDLE_TOKENIZER_GOLDENS names a folder of further goldens, such as
// those of the vocabularies of real models.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "text/stream_decoder.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
}

std::vector<TokenId> ids_of(simdjson::dom::element list) {
    std::vector<TokenId> ids;
    for (const auto id : list.get_array().value()) {
        ids.push_back(static_cast<TokenId>(id.get_int64().value()));
    }
    return ids;
}

void expect_sound_ranges(const Tokenizer& tokenizer, const std::string& text,
                         const std::vector<TokenId>& ids) {
    const Encoding encoding = tokenizer.encode_with_ranges(text);
    EXPECT_EQ(encoding.ids, ids) << text;
    ASSERT_EQ(encoding.ranges.size(), ids.size());
    ASSERT_EQ(encoding.type_ids.size(), ids.size());
    for (const ByteRange range : encoding.ranges) {
        EXPECT_LE(range.begin, range.end) << text;
        EXPECT_LE(range.end, text.size()) << text;
        EXPECT_EQ(floor_utf8(text, range.begin), range.begin) << text;
        EXPECT_EQ(floor_utf8(text, range.end), range.end) << text;
    }
}

// What a stream of ids adds up to is what they decode to at once; where the bytes are no text, the
// two may place U+FFFD differently.
void expect_same_streamed(const std::shared_ptr<const Tokenizer>& tokenizer,
                          const std::vector<TokenId>& ids, const std::string& decoded) {
    StreamDecoder stream(tokenizer);
    std::string text;
    for (const TokenId id : ids) {
        const std::string part = stream.push(id);
        EXPECT_TRUE(is_valid_utf8(part));
        text += part;
    }
    text += stream.finish();
    // The suffix that ends a word is a space until the text is known to end.
    if (text == decoded + ' ') text.pop_back();
    if (decoded.find(kReplacementUtf8) == decoded.npos) {
        EXPECT_EQ(text, decoded);
    }
}

// Returns how many cases were compared; stops early once a file has shown 10 differences.
std::size_t compare(const fs::path& tokenizer_path) {
    const auto tokenizer = tokenizer_from_json(read_file(tokenizer_path));
    if (!tokenizer) {
        ADD_FAILURE() << tokenizer_path.filename() << ": " << tokenizer.error().message();
        return 0;
    }
    std::string cases = tokenizer_path.string();
    cases.replace(cases.find(".tokenizer.json"), std::string::npos, ".cases.jsonl");
    std::ifstream file(cases);
    simdjson::dom::parser parser;
    std::size_t count = 0;
    int differences = 0;
    for (std::string line; std::getline(file, line) && differences < 10; ++count) {
        const simdjson::dom::element golden = parser.parse(line);
        const std::string text(golden["text"].get_string().value());
        const std::vector<TokenId> ids = ids_of(golden["ids"]);
        const std::vector<TokenId> plain = ids_of(golden["plain"]);
        const std::string decoded(golden["decoded"].get_string().value());
        const auto got = (*tokenizer)->encode(text);
        const auto got_plain = (*tokenizer)->encode(text, {.add_special = false});
        const std::string got_text = (*tokenizer)->decode(ids);
        EXPECT_EQ(got, ids) << tokenizer_path.filename() << " line " << count + 1 << ": " << line;
        EXPECT_EQ(got_plain, plain) << tokenizer_path.filename() << " line " << count + 1;
        EXPECT_EQ(got_text, decoded) << tokenizer_path.filename() << " line " << count + 1;
        differences += got != ids || got_plain != plain || got_text != decoded;
        if (count % 8 == 0 && got == ids) expect_sound_ranges(**tokenizer, text, ids);
        if (count % 2 == 0) expect_same_streamed(*tokenizer, ids, decoded);
    }
    return count;
}

std::size_t compare_folder(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.path().string().ends_with(".tokenizer.json")) continue;
        const std::size_t of_file = compare(entry.path());
        EXPECT_GT(of_file, 0u) << entry.path().filename();
        count += of_file;
    }
    return count;
}

TEST(TokenizerGolden, EqualsTheOracle) {
    EXPECT_GE(compare_folder(fs::path(HEDDLE_SOURCE_DIR) / "tests/golden/text"), 150u);
}

TEST(TokenizerGolden, EqualsTheOracleOnNamedGoldens) {
    const std::string folder = environment("HEDDLE_TOKENIZER_GOLDENS");
    if (folder.empty()) GTEST_SKIP() << "HEDDLE_TOKENIZER_GOLDENS is not set";
    const std::size_t count = compare_folder(folder);
    EXPECT_GT(count, 0u);
    fmt::print("{} strings compared\n", count);
}

TEST(TokenizerGolden, EqualsTheLiveOracle) {
    if (environment("HEDDLE_TEST_SCALE") != "full") GTEST_SKIP() << "HEDDLE_TEST_SCALE is not full";
    const std::string set = environment("HEDDLE_ORACLE_PYTHON");
    const std::string python = set.empty() ? "python3" : set;
    if (std::system((python + " -c 'import tokenizers' 2>/dev/null").c_str()) != 0) {
        GTEST_SKIP() << "no Python with the tokenizers library (HEDDLE_ORACLE_PYTHON)";
    }
    const fs::path folder = fs::temp_directory_path() / fmt::format("heddle-goldens-{}", getpid());
    const fs::path golden = fs::path(HEDDLE_SOURCE_DIR) / "tests/golden/text";
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(golden)) {
        if (!entry.path().string().ends_with(".tokenizer.json")) continue;
        fs::copy_file(entry.path(), folder / entry.path().filename());
    }
    const std::string command =
        fmt::format("{} {} {} --count 100000 --seed 2", python,
                    (golden / "make_tokenizer_goldens.py").string(), folder.string());
    ASSERT_EQ(std::system(command.c_str()), 0);
    fmt::print("{} strings compared\n", compare_folder(folder));
    fs::remove_all(folder);
}

}  // namespace
}  // namespace heddle::text
