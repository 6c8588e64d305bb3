// The bytes of every token, as they stand in generated text. Built once from a tokenizer,
// immutable then; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sequence.h"

namespace heddle::text {
class Tokenizer;
}

namespace heddle::engine {

class TokenTable {
public:
    // Appends the next id. A special token (end of text, role markers) stands for no text unless
    // a request wants to see it.
    void add(std::string_view bytes, bool special) {
        bytes_ += bytes;
        ends_.push_back(bytes_.size());
        special_.push_back(special);
    }

    // The vocabulary of a tokenizer.
    static TokenTable of(const text::Tokenizer& tokenizer);

    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    [[nodiscard]] bool contains(TokenId token) const {
        return token >= 0 && static_cast<std::size_t>(token) < size();
    }
    [[nodiscard]] std::string_view bytes(TokenId token) const {
        const auto at = static_cast<std::size_t>(token);
        const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
        return std::string_view(bytes_).substr(begin, ends_[at] - begin);
    }
    [[nodiscard]] bool is_special(TokenId token) const {
        return special_[static_cast<std::size_t>(token)];
    }

private:
    std::string bytes_;
    std::vector<std::size_t> ends_;
    std::vector<bool> special_;
};

}  // namespace heddle::engine
