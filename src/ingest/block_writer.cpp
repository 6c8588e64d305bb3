#include "ingest/block_writer.h"

#include "ingest/clean.h"
#include "text/utf8.h"

namespace heddle::ingest {
namespace {

constexpr std::size_t kBlockBytesMax = 64U << 10;

// The bytes of the first piece of a text that is too long: up to a space, or else to a character.
std::size_t first_piece(std::string_view text) {
    const std::size_t space = text.rfind(' ', kBlockBytesMax);
    if (space != std::string_view::npos && space > kBlockBytesMax / 2) return space;
    return text::floor_utf8(text, kBlockBytesMax);
}

}  // namespace

void BlockWriter::title(std::string_view text) {
    if (title_.empty()) title_ = clean_line(text);
}

void BlockWriter::add(BlockKind kind, std::string_view text, std::uint8_t level) {
    const std::string line = clean_line(text);
    std::string_view rest = line;
    while (!rest.empty() && !full()) {
        const std::size_t length = rest.size() <= kBlockBytesMax ? rest.size() : first_piece(rest);
        write({.kind = kind, .level = level, .text = std::string(rest.substr(0, length))});
        rest.remove_prefix(length);
        if (rest.starts_with(' ')) rest.remove_prefix(1);
    }
}

void BlockWriter::add(const std::vector<Block>& blocks) {
    for (const Block& block : blocks) {
        if (!full()) write(block);
    }
}

void BlockWriter::write(const Block& block) {
    if (first_heading_.empty() && block.kind == BlockKind::kHeading) first_heading_ = block.text;
    bytes_ += block.text.size();
    if (!full()) out_.block(block);
}

ReadOutcome BlockWriter::finish() {
    if (bytes_ == 0) return tl::unexpected(sandbox::Failure::kEmpty);
    if (full()) return tl::unexpected(sandbox::Failure::kTooMuchText);
    if (title_.empty()) title_ = first_heading_;
    if (!title_.empty()) out_.title(title_);
    return {};
}

}  // namespace heddle::ingest
