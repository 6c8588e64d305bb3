// A document as one text, with the places of its blocks and lines: what chunkers cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/chunker.h"

namespace heddle::ingest {

// Where a line of the file stands in the document's text.
struct PlacedLine {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint32_t page = 0;
    Box box;
};

// The blocks belong to the document, which must outlive this.
struct PlacedBlock {
    const Block* block = nullptr;
    std::size_t begin = 0;
};

struct LaidOut {
    std::string text;
    std::vector<PlacedBlock> blocks;
    std::vector<PlacedLine> lines;
};

[[nodiscard]] LaidOut lay_out(const ParsedDocument& document);

struct Heading {
    std::uint8_t level = 0;
    std::string text;
};

// The headings a text stands under, the outermost first.
class HeadingPath {
public:
    void enter(const Block& heading);
    [[nodiscard]] const std::vector<Heading>& headings() const { return headings_; }
    void clear() { headings_.clear(); }
    // "Chapter › Section"
    [[nodiscard]] std::string text() const;
    // The title and the headings, or as many of the innermost as fit into `tokens_max`, with a line
    // break behind them; empty when not even the last one fits.
    [[nodiscard]] std::string context(const std::string& title, std::size_t tokens_max,
                                      const CountTokens& count_tokens) const;

private:
    std::vector<Heading> headings_;
};

// Counts the characters before places that mostly rise.
class CharacterCounter {
public:
    explicit CharacterCounter(std::string_view text) : text_(text) {}
    [[nodiscard]] std::uint64_t at(std::size_t byte);

private:
    std::string_view text_;
    std::size_t byte_ = 0;
    std::uint64_t characters_ = 0;
};

// The lines of text[begin, end), their starts counted from `begin`, and the pages they span.
// `first` is a line that ends before `begin`, or 0; it is moved on to the first that does not.
void add_lines(Chunk& chunk, const LaidOut& source, std::size_t begin, std::size_t end,
               std::size_t& first);

}  // namespace heddle::ingest
