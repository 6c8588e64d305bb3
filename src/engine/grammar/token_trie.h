// A vocabulary as a trie over the bytes of its tokens, laid out for walking: depth first, each
// node with the place behind its subtree. Special tokens are left out: no text contains them.
// Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/grammar/token_mask.h"
#include "engine/token_table.h"

namespace heddle::engine::grammar {

class TokenTrie {
public:
    struct Node {
        std::uint32_t end = 0;     // the node behind this one's subtree
        std::uint32_t tokens = 0;  // the first of its tokens in tokens_of_nodes
        std::uint16_t depth = 0;   // bytes up to and with this node's
        std::uint8_t count = 0;    // tokens that end here (equal bytes)
        std::uint8_t byte = 0;
    };

    explicit TokenTrie(const TokenTable& tokens);

    [[nodiscard]] std::size_t vocabulary() const { return vocabulary_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes_of(TokenId token) const;
    [[nodiscard]] std::size_t longest() const { return longest_; }

    // All tokens, or those that are not plain.
    [[nodiscard]] std::span<const Node> nodes() const { return all_.nodes; }
    [[nodiscard]] std::span<const Node> odd_nodes() const { return odd_.nodes; }
    void set_tokens(const Node& node, bool odd, TokenMask& mask) const {
        const auto& tokens = odd ? odd_.tokens : all_.tokens;
        for (std::uint32_t i = 0; i < node.count; ++i) mask.set(tokens[node.tokens + i]);
    }

    // Plain tokens stand anywhere within a JSON string: whole characters, none of them a quote,
    // a backslash or a control character. Those of at most `characters` characters.
    [[nodiscard]] TokenMask plain(std::size_t characters) const;
    [[nodiscard]] std::size_t longest_plain() const { return longest_plain_; }
    // Tokens of white space only.
    [[nodiscard]] const TokenMask& blank() const { return blank_; }

private:
    struct Tree {
        std::vector<Node> nodes;
        std::vector<std::uint32_t> tokens;
    };
    using Entry = std::pair<std::string_view, std::uint32_t>;
    static constexpr std::size_t kShort = 32;

    static Tree build(const std::vector<Entry>& sorted);

    const TokenTable& table_;
    std::size_t vocabulary_ = 0;
    std::size_t longest_ = 0;
    std::size_t longest_plain_ = 0;
    Tree all_;
    Tree odd_;
    std::vector<TokenMask> plain_;  // by characters, up to kShort
    std::vector<std::pair<std::size_t, std::uint32_t>> long_plain_;
    TokenMask blank_;
};

}  // namespace heddle::engine::grammar
