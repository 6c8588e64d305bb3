#include "text/byte_trie.h"

#include <algorithm>

namespace heddle::text {
namespace {

// The sorted entries [begin, end) below one node, which share their first `depth` bytes.
struct Span {
    std::size_t begin, end, depth;
    std::uint32_t node;
};

}  // namespace

ByteTrie::ByteTrie(std::vector<std::pair<std::string, TokenId>> entries) {
    std::erase_if(entries, [](const auto& entry) { return entry.first.empty(); });
    if (entries.empty()) return;
    std::ranges::sort(entries);
    nodes_.emplace_back();
    std::vector<Span> open = {{0, entries.size(), 0, 0}};
    for (std::size_t next = 0; next < open.size(); ++next) {
        const Span span = open[next];
        std::size_t i = span.begin;
        // What ends here sorts first.
        if (entries[i].first.size() == span.depth) nodes_[span.node].id = entries[i].second;
        while (i < span.end && entries[i].first.size() == span.depth) ++i;
        nodes_[span.node].first_child = static_cast<std::uint32_t>(nodes_.size());
        while (i < span.end) {
            const char byte = entries[i].first[span.depth];
            const std::size_t begin = i;
            while (i < span.end && entries[i].first[span.depth] == byte) ++i;
            open.push_back({begin, i, span.depth + 1, static_cast<std::uint32_t>(nodes_.size())});
            nodes_.push_back({.byte = static_cast<std::uint8_t>(byte)});
            ++nodes_[span.node].child_count;
            if (span.depth == 0) starts_[static_cast<unsigned char>(byte)] = true;
        }
    }
}

ByteTrie::Match ByteTrie::longest(std::string_view text, std::size_t position) const {
    Match best;
    each_prefix(text, position, [&best](TokenId id, std::size_t length) { best = {id, length}; });
    return best;
}

}  // namespace heddle::text
