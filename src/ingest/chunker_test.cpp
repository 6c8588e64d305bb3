// Chunks cover the text, keep their places, and never hold more than the embedder reads.
#include "ingest/chunker.h"

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "base/random.h"
#include "ingest/packing.h"
#include "text/utf8.h"

namespace heddle::ingest {
namespace {

// A word is a token for every four bytes that it begins, as with the pieces of a real tokenizer.
std::size_t count_tokens(std::string_view text) {
    std::size_t tokens = 0;
    std::size_t word = 0;
    for (const char c : text) {
        word = c == ' ' || c == '\n' ? 0 : word + 1;
        if (word % 4 == 1) ++tokens;
    }
    return tokens;
}

Block paragraph(std::string text, std::uint32_t page = 1) {
    Block block{.page = page, .text = std::move(text)};
    block.lines.push_back({page, 0, {72, 100, 500, 112}});
    return block;
}

Block heading(std::string text, std::uint8_t level) {
    Block block = paragraph(std::move(text));
    block.kind = BlockKind::kHeading;
    block.level = level;
    return block;
}

std::string sentences(int count, std::string_view subject) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text +=
            fmt::format("{}The {} number {} goes over two threads.", i > 0 ? " " : "", subject, i);
    return text;
}

ParsedDocument document_of(std::vector<Block> blocks) {
    ParsedDocument document{.title = "On Looms", .blocks = std::move(blocks)};
    document.pages.resize(9);
    return document;
}

std::vector<Chunk> chunk(const ParsedDocument& document, ChunkerConfig config = {},
                         std::size_t limit = 254) {
    return chunk_document(document, "looms.pdf", config, {limit}, count_tokens);
}

std::string substring(const std::string& text, std::uint64_t begin, std::uint64_t end) {
    std::string out;
    std::uint64_t i = 0;
    for (std::size_t at = 0; at < text.size(); ++i) {
        const std::size_t length = text::decode_utf8(text, at).length;
        if (i >= begin && i < end) out += text.substr(at, length);
        at += length;
    }
    return out;
}

TEST(Chunker, PacksWholeSentencesUpToTheBudget) {
    const ParsedDocument document = document_of({paragraph(sentences(60, "weft"))});
    const std::vector<Chunk> chunks = chunk(document);
    ASSERT_GT(chunks.size(), 2U);
    for (const Chunk& piece : chunks) {
        EXPECT_LE(count_tokens(piece.embedded), 250U);
        EXPECT_TRUE(piece.text.starts_with("The weft")) << piece.text;
        EXPECT_TRUE(piece.text.ends_with("threads.")) << piece.text;
        EXPECT_EQ(piece.embedded, "On Looms\n" + piece.text);
    }
    for (std::size_t i = 0; i + 1 < chunks.size(); ++i)
        EXPECT_GT(count_tokens(chunks[i].embedded), 230U);
}

TEST(Chunker, PutsTheHeadingPathInFront) {
    const ParsedDocument document =
        document_of({heading("Weaves", 1), heading("Twill", 2), paragraph(sentences(12, "twill")),
                     heading("Satin", 2), paragraph(sentences(12, "satin"))});
    const std::vector<Chunk> chunks = chunk(document);
    ASSERT_EQ(chunks.size(), 2U);
    EXPECT_EQ(chunks[0].heading_path, "Weaves › Twill");
    EXPECT_EQ(chunks[1].heading_path, "Weaves › Satin");
    EXPECT_TRUE(chunks[1].embedded.starts_with("On Looms › Weaves › Satin\nThe satin"));
    EXPECT_EQ(chunks[1].text.find("twill"), std::string::npos);
}

TEST(Chunker, PacksShortSectionsTogether) {
    const ParsedDocument document = document_of({heading("A", 1), paragraph("The warp is long."),
                                                 heading("B", 1), paragraph("The weft is short.")});
    const std::vector<Chunk> chunks = chunk(document);
    ASSERT_EQ(chunks.size(), 1U);
    EXPECT_EQ(chunks[0].text, "The warp is long.\n\nB\n\nThe weft is short.");
}

TEST(Chunker, KeepsPagesLinesAndCharacters) {
    Block crossing = paragraph("Über die Kette läuft der Schuss und so weiter bis zum Ende.", 3);
    crossing.lines.push_back({4, 30, {72, 50, 500, 62}});
    const ParsedDocument document =
        document_of({paragraph("Ein „Anfang“ für sich.", 2), crossing, paragraph("Ein Ende.", 5)});
    ChunkerConfig config;
    config.tokens = 24;
    config.tokens_min = 4;
    config.embed_context = false;
    const std::string text = document_text(document);
    const std::vector<Chunk> chunks = chunk(document, config);
    ASSERT_GE(chunks.size(), 2U);
    for (const Chunk& piece : chunks)
        EXPECT_EQ(substring(text, piece.char_start, piece.char_end), piece.text);
    EXPECT_EQ(chunks.front().page_start, 2U);
    EXPECT_EQ(chunks.back().page_end, 5U);
    bool crosses = false;
    for (const Chunk& piece : chunks) crosses = crosses || piece.page_start < piece.page_end;
    EXPECT_TRUE(crosses);
}

TEST(Chunker, KeepsTableRowsWhole) {
    std::vector<Block> blocks;
    for (int i = 0; i < 40; ++i) {
        Block row = paragraph(fmt::format("Thread {} | No. {} approx. | 3.5 mm", i, i));
        row.kind = BlockKind::kTableRow;
        blocks.push_back(row);
    }
    for (const Chunk& piece : chunk(document_of(blocks))) {
        EXPECT_TRUE(piece.text.starts_with("Thread "));
        EXPECT_TRUE(piece.text.ends_with("3.5 mm"));
    }
}

TEST(Chunker, MakesChunksOfHeadingsWhenThereIsNothingElse) {
    const std::vector<Chunk> chunks =
        chunk(document_of({heading("Slide one", 1), heading("Slide two", 1)}));
    ASSERT_EQ(chunks.size(), 1U);
    EXPECT_EQ(chunks[0].text, "Slide one\n\nSlide two");
}

TEST(Chunker, CharactersAreTheChapters) {
    const std::string text = sentences(40, "chapter");
    ChunkerConfig config;
    config.kind = ChunkerKind::kCharacters;
    const std::vector<Chunk> chunks = chunk(document_of({paragraph(text)}), config, 1000);
    ASSERT_EQ(chunks.size(), (text.size() + 511) / 512);
    // White space at the cut is left out.
    EXPECT_NEAR(static_cast<double>(chunks[0].char_end - chunks[0].char_start), 512, 2);
    EXPECT_EQ(chunks[0].embedded, chunks[0].text);
}

// Random documents with words and sentences far beyond any limit: what is embedded is never
// longer than the limit, and no word is lost.
TEST(Chunker, NothingThatIsEmbeddedIsEverCut) {
    const std::uint64_t seed = 20261122;
    Rng rng(seed);
    for (int round = 0; round < 60; ++round) {
        std::vector<Block> blocks;
        for (std::uint64_t i = 0, n = 1 + rng.below(12); i < n; ++i) {
            std::string text;
            for (std::uint64_t w = 0, words = 1 + rng.below(400); w < words; ++w) {
                const std::uint64_t length = rng.below(50) == 0 ? rng.below(3000) : rng.below(12);
                if (!text.empty()) text += ' ';
                for (std::uint64_t c = 0; c <= length; ++c) {
                    if (rng.below(20) == 0)
                        text += "語";
                    else
                        text += static_cast<char>('a' + rng.below(26));
                }
                if (rng.below(30) == 0) text += '.';
            }
            const auto level = static_cast<std::uint8_t>(1 + rng.below(6));
            blocks.push_back(rng.below(4) == 0 ? heading(text, level) : paragraph(text));
        }
        ParsedDocument document = document_of(blocks);
        ChunkerConfig config;
        config.kind = rng.below(3) == 0 ? ChunkerKind::kCharacters : ChunkerKind::kSentences;
        const std::size_t limit = 32 + rng.below(300);
        config.tokens = 16 + rng.below(400);
        std::size_t letters = 0;
        std::uint64_t last_end = 0;
        for (const Chunk& piece : chunk(document, config, limit)) {
            ASSERT_LE(count_tokens(piece.embedded), limit) << "seed " << seed << " round " << round;
            ASSERT_FALSE(piece.text.empty());
            ASSERT_TRUE(text::is_valid_utf8(piece.text));
            ASSERT_GE(piece.char_start, last_end);
            last_end = piece.char_end;
            letters += piece.text.size();
        }
        std::size_t body = 0;
        for (const Block& block : blocks) {
            if (block.kind != BlockKind::kHeading) body += block.text.size();
        }
        // Only spaces between chunks and full stops that the chapter's cleaning takes are gone.
        EXPECT_GE(letters + letters / 8 + 64, body) << "seed " << seed << " round " << round;
    }
}

TEST(Packing, SplitsAtWordsAndKeepsEveryOne) {
    const std::string text = sentences(100, "thread");
    std::string joined;
    for (const Piece& piece : split_at_words(text, 0, text.size(), 30, count_tokens)) {
        EXPECT_LE(piece.tokens, 30U);
        if (!joined.empty()) joined += ' ';
        joined += text.substr(piece.begin, piece.end - piece.begin);
    }
    EXPECT_EQ(joined, text);
}

TEST(Packing, CutsAWordThatIsLongerThanTheLimit) {
    const std::string word = "語" + std::string(500, 'x') + "語";
    std::string joined;
    for (const Piece& piece : split_at_words(word, 0, word.size(), 7, count_tokens)) {
        EXPECT_LE(piece.tokens, 7U);
        EXPECT_TRUE(text::is_valid_utf8(word.substr(piece.begin, piece.end - piece.begin)));
        joined += word.substr(piece.begin, piece.end - piece.begin);
    }
    EXPECT_EQ(joined, word);
}

TEST(ChunkerConfig, IsReadFromText) {
    EXPECT_EQ(parse_chunker("sentences")->tokens, 250U);
    EXPECT_EQ(parse_chunker("sentences:128")->tokens, 128U);
    EXPECT_EQ(parse_chunker("recursive:200:40")->overlap, 40U);
    EXPECT_EQ(parse_chunker("recursive:200")->tokens, 200U);
    EXPECT_EQ(parse_chunker("recursive")->kind, ChunkerKind::kRecursive);
    for (const char* bad : {"recursive:200:101", "recursive:", "recursive:x", "recursive:200:"})
        EXPECT_FALSE(parse_chunker(bad)) << bad;
    EXPECT_EQ(parse_chunker("chars:512")->kind, ChunkerKind::kCharacters);
    EXPECT_EQ(parse_chunker("chars:512")->characters, 512U);
    for (const char* bad : {"", "chars:", "chars:0", "chars:512x", "words", "sentences:-1",
                            "sentences:99999999999999999999"})
        EXPECT_FALSE(parse_chunker(bad)) << bad;
}

// Every word is in a passage, each passage repeats the end of the one before, and none is longer
// than the embedder reads.
TEST(RecursiveChunker, OverlapsAndCoversTheText) {
    const ParsedDocument document =
        document_of({heading("Warp", 1), paragraph(sentences(40, "warp")), heading("Weft", 1),
                     paragraph(sentences(30, "weft"), 2)});
    const std::string text = document_text(document);
    const ChunkerConfig config{.kind = ChunkerKind::kRecursive, .tokens = 100, .overlap = 25};
    const std::vector<Chunk> chunks = chunk(document, config);
    ASSERT_GT(chunks.size(), 6U);
    std::uint64_t covered = 0;
    std::size_t overlapping = 0;
    for (const Chunk& each : chunks) {
        EXPECT_LE(count_tokens(each.embedded), 100U);
        EXPECT_EQ(substring(text, each.char_start, each.char_end), each.text);
        EXPECT_LE(each.char_start, covered + 2) << "only white space may be left out";
        if (each.char_start < covered) {
            ++overlapping;
            EXPECT_LE(count_tokens(substring(text, each.char_start, covered)), 26U);
        }
        EXPECT_GT(each.char_end, covered);
        covered = each.char_end;
    }
    EXPECT_EQ(covered, text::count_code_points(text));
    EXPECT_GE(overlapping, chunks.size() - 2);
    EXPECT_EQ(chunks.front().heading_path, "Warp");
    EXPECT_TRUE(chunks.front().embedded.starts_with("On Looms › Warp\n"));
    EXPECT_EQ(chunks.back().heading_path, "Weft");
    EXPECT_EQ(chunks.back().page_end, 2U);
}

TEST(RecursiveChunker, CutsWhatIsTooLongAndKeepsToTheEmbedder) {
    const ParsedDocument document = document_of({paragraph(std::string(5'000, 'x'))});
    const ChunkerConfig config{.kind = ChunkerKind::kRecursive, .tokens = 400, .overlap = 0};
    std::string joined;
    for (const Chunk& each : chunk(document, config, 64)) {
        EXPECT_LE(count_tokens(each.embedded), 64U);
        joined += each.text;
    }
    EXPECT_EQ(joined, std::string(5'000, 'x'));
}

}  // namespace
}  // namespace heddle::ingest
