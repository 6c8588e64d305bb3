// What the readers of formats without a layout share: blocks cleaned, bounded and written on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/formats.h"

namespace heddle::ingest {

// In the parser process; one document.
class BlockWriter {
public:
    BlockWriter(sandbox::RecordWriter& out, const ParseLimits& limits)
        : out_(out), limits_(limits) {}

    // The file's own title; the first one that says anything counts.
    void title(std::string_view text);
    // Cleans the text to one line, cuts what is too long for a block at a space, and leaves out
    // what is empty. `level` is a heading's.
    void add(BlockKind kind, std::string_view text, std::uint8_t level = 0);
    // As a reader of Markdown has made them.
    void add(const std::vector<Block>& blocks);

    // Writes the title, which is the first heading where the file names none. An error when there
    // was no text, or more than the limit.
    [[nodiscard]] ReadOutcome finish();
    // Past the limit of text: nothing more is written, and reading on is of no use.
    [[nodiscard]] bool full() const { return bytes_ > limits_.text_bytes; }

private:
    void write(const Block& block);

    sandbox::RecordWriter& out_;
    const ParseLimits limits_;
    std::string title_;
    std::string first_heading_;
    std::uint64_t bytes_ = 0;
};

}  // namespace heddle::ingest
