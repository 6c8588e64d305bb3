// What a format reader makes of a file: pages and blocks of clean UTF-8 text in reading order.
// Plain data; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heddle::ingest {

// In points (1/72 inch) from the top left corner of the page as it is shown.
struct Box {
    float left = 0;
    float top = 0;
    float right = 0;
    float bottom = 0;
};

enum class BlockKind : std::uint8_t { kParagraph, kHeading, kListItem, kTableRow, kCode };

// One line of a block as it stands on a page.
struct Line {
    std::uint32_t page = 0;   // from 1
    std::uint32_t start = 0;  // byte of the block's text where the line begins
    Box box;
};

// A paragraph (which may go on over pages), a heading, one row of a table (cells joined by " | ").
// The text holds no line breaks, except that of kCode.
struct Block {
    BlockKind kind = BlockKind::kParagraph;
    std::uint8_t level = 0;  // of a heading, 1 (outermost) to 6
    std::uint32_t page = 0;  // where it begins, from 1; 0 in formats without pages
    std::string text;
    std::vector<Line> lines;  // empty in formats without pages
};

struct Page {
    float width = 0;
    float height = 0;
    std::uint32_t letters = 0;
};

// Fewer letters than this and a page counts as one without text (a scan).
inline constexpr std::uint32_t kPageLettersMin = 10;

struct ParsedDocument {
    std::string title;  // from the file's own metadata or its first heading; may be empty
    std::vector<Page> pages;
    std::vector<Block> blocks;
    std::uint64_t hidden_characters = 0;  // invisible text that was dropped
    std::uint32_t walls = 0;              // sandbox::Wall bits that the parser reported

    // From 1.
    [[nodiscard]] std::vector<std::uint32_t> pages_without_text() const {
        std::vector<std::uint32_t> numbers;
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (pages[i].letters < kPageLettersMin)
                numbers.push_back(static_cast<std::uint32_t>(i + 1));
        }
        return numbers;
    }
};

}  // namespace heddle::ingest
