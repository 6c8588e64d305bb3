#include "engine/grammar/token_trie.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "text/utf8.h"

namespace heddle::engine::grammar {
namespace {

// The number of characters of a plain token; nothing for others.
std::optional<std::size_t> plain_characters(std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == '"' || byte == '\\') return std::nullopt;
    }
    if (!text::is_valid_utf8(bytes)) return std::nullopt;
    return text::count_code_points(bytes);
}

bool is_blank(std::string_view bytes) {
    return bytes.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

TokenTrie::TokenTrie(const TokenTable& tokens)
    : table_(tokens),
      vocabulary_(tokens.size()),
      plain_(kShort + 1, TokenMask(tokens.size())),
      blank_(tokens.size()) {
    std::vector<Entry> all;
    std::vector<Entry> odd;
    for (std::uint32_t token = 0; token < tokens.size(); ++token) {
        const auto id = static_cast<TokenId>(token);
        const std::string_view bytes = tokens.bytes(id);
        if (tokens.is_special(id) || bytes.empty() || bytes.size() > 4096) continue;
        longest_ = std::max(longest_, bytes.size());
        all.emplace_back(bytes, token);
        if (is_blank(bytes)) blank_.set(token);
        const auto characters = plain_characters(bytes);
        if (!characters) {
            odd.emplace_back(bytes, token);
            continue;
        }
        longest_plain_ = std::max(longest_plain_, *characters);
        if (*characters > kShort) long_plain_.emplace_back(*characters, token);
        for (std::size_t most = *characters; most <= kShort; ++most) plain_[most].set(token);
    }
    std::ranges::sort(all);
    std::ranges::sort(odd);
    all_ = build(all);
    odd_ = build(odd);
}

TokenTrie::Tree TokenTrie::build(const std::vector<Entry>& sorted) {
    Tree tree;
    std::vector<std::uint32_t> path;  // the open nodes, by depth
    std::string_view before;
    const auto close_to = [&](std::size_t depth) {
        while (path.size() > depth) {
            tree.nodes[path.back()].end = static_cast<std::uint32_t>(tree.nodes.size());
            path.pop_back();
        }
    };
    for (const auto& [bytes, token] : sorted) {
        const auto differ = std::ranges::mismatch(before, bytes);
        const auto shared = static_cast<std::size_t>(differ.in2 - bytes.begin());
        close_to(shared);
        for (std::size_t at = shared; at < bytes.size(); ++at) {
            path.push_back(static_cast<std::uint32_t>(tree.nodes.size()));
            Node node;
            node.depth = static_cast<std::uint16_t>(at + 1);
            node.byte = static_cast<std::uint8_t>(bytes[at]);
            tree.nodes.push_back(node);
        }
        Node& last = tree.nodes[path.back()];
        if (last.count == 0) last.tokens = static_cast<std::uint32_t>(tree.tokens.size());
        ++last.count;
        tree.tokens.push_back(token);
        before = bytes;
    }
    close_to(0);
    return tree;
}

std::span<const std::uint8_t> TokenTrie::bytes_of(TokenId token) const {
    const std::string_view bytes = table_.bytes(token);
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

TokenMask TokenTrie::plain(std::size_t characters) const {
    TokenMask mask = plain_[std::min(characters, kShort)];
    for (const auto& [length, token] : long_plain_) {
        if (length <= characters) mask.set(token);
    }
    return mask;
}

}  // namespace heddle::engine::grammar
