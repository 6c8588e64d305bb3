#include "ingest/laid_out.h"

#include <algorithm>

#include "text/utf8.h"

namespace heddle::ingest {
namespace {

constexpr std::string_view kPathSeparator = " › ";

}  // namespace

LaidOut lay_out(const ParsedDocument& document) {
    LaidOut out;
    const Block* before = nullptr;
    for (const Block& block : document.blocks) {
        const bool row = before != nullptr && before->kind == BlockKind::kTableRow &&
                         block.kind == BlockKind::kTableRow;
        if (before != nullptr) out.text += row ? "\n" : "\n\n";
        const std::size_t begin = out.text.size();
        out.blocks.push_back({&block, begin});
        for (std::size_t i = 0; i < block.lines.size(); ++i) {
            const Line& line = block.lines[i];
            const std::size_t end =
                i + 1 < block.lines.size() ? block.lines[i + 1].start : block.text.size();
            out.lines.push_back({begin + line.start, begin + end, line.page, line.box});
        }
        out.text += block.text;
        before = &block;
    }
    return out;
}

void HeadingPath::enter(const Block& heading) {
    while (!headings_.empty() && headings_.back().level >= heading.level) headings_.pop_back();
    headings_.push_back({heading.level, heading.text});
}

std::string HeadingPath::text() const {
    std::string path;
    for (const Heading& heading : headings_) {
        if (!path.empty()) path += kPathSeparator;
        path += heading.text;
    }
    return path;
}

std::string HeadingPath::context(const std::string& title, std::size_t tokens_max,
                                 const CountTokens& count_tokens) const {
    std::vector<std::string> parts{title};
    for (const Heading& heading : headings_) parts.push_back(heading.text);
    for (std::size_t first = 0; first < parts.size(); ++first) {
        std::string context;
        for (std::size_t i = first; i < parts.size(); ++i) {
            if (parts[i].empty() || (i > first && parts[i] == parts[i - 1])) continue;
            if (!context.empty()) context += kPathSeparator;
            context += parts[i];
        }
        if (!context.empty() && count_tokens(context) <= tokens_max) return context + '\n';
    }
    return {};
}

std::uint64_t CharacterCounter::at(std::size_t byte) {
    if (byte >= byte_)
        characters_ += text::count_code_points(text_.substr(byte_, byte - byte_));
    else
        characters_ -= text::count_code_points(text_.substr(byte, byte_ - byte));
    byte_ = byte;
    return characters_;
}

void add_lines(Chunk& chunk, const LaidOut& source, std::size_t begin, std::size_t end,
               std::size_t& first) {
    while (first < source.lines.size() && source.lines[first].end <= begin) ++first;
    for (std::size_t i = first; i < source.lines.size(); ++i) {
        const PlacedLine& line = source.lines[i];
        if (line.begin >= end) break;
        const std::size_t start = line.begin > begin ? line.begin - begin : 0;
        chunk.lines.push_back({line.page, static_cast<std::uint32_t>(start), line.box});
    }
    if (chunk.lines.empty()) return;
    const auto [lowest, highest] =
        std::minmax_element(chunk.lines.begin(), chunk.lines.end(),
                            [](const Line& a, const Line& b) { return a.page < b.page; });
    chunk.page_start = lowest->page;
    chunk.page_end = highest->page;
}

}  // namespace heddle::ingest
