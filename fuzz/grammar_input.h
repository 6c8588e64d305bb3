// Runs a compiled constraint over bytes as tokens: every mask is made, nothing else is accepted.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "engine/grammar/matcher.h"

namespace heddle::fuzz {

inline const engine::grammar::TokenTrie& byte_tokens() {
    static const engine::TokenTable table = [] {
        engine::TokenTable all;
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            all.add(std::string_view(&c, 1), false);
        }
        all.add("true", false);
        all.add("\": ", false);
        all.add("</s>", true);
        return all;
    }();
    static const engine::grammar::TokenTrie trie(table);
    return trie;
}

inline void run_grammar(engine::grammar::Grammar grammar, std::string_view text) {
    constexpr std::size_t kBytesMax = 64;
    constexpr std::array<engine::TokenId, 1> kEnd = {258};
    engine::grammar::Matcher matcher(std::make_shared<engine::grammar::Machine>(
        std::make_shared<const engine::grammar::Grammar>(std::move(grammar)), byte_tokens()));
    for (const char c : text.substr(0, kBytesMax)) {
        const auto token = static_cast<engine::TokenId>(static_cast<unsigned char>(c));
        const auto mask = matcher.mask(kEnd);
        if (!mask) return;
        const bool allowed = mask->test(static_cast<std::size_t>(token));
        // What a mask allows may still lead nowhere; what it does not allow must not be taken.
        const bool taken = matcher.accept(token);
        if (taken && !allowed) std::abort();
        if (!taken) return;
    }
}

}  // namespace heddle::fuzz
