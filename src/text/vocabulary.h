// The pieces of a vocabulary, by id and by bytes. Immutable after build(); any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::text {

// An index into a vocabulary and a row of the model's embedding. Never negative when it comes
// from a tokenizer.
using TokenId = std::int32_t;

// All bytes stand in one string; look-up is one open-addressing table of ids.
class Vocabulary {
public:
    // Ids 0 to size() - 1 stand for nothing until set.
    void resize(std::size_t size);
    // Gives `id` < size() its bytes; the last one set stands. Not after build().
    void set(TokenId id, std::string_view piece);
    // Makes find() work. Of equal pieces the lowest id is found. Empty pieces are never found.
    void build();

    [[nodiscard]] std::size_t size() const { return places_.size(); }
    [[nodiscard]] bool contains(TokenId id) const {
        return id >= 0 && static_cast<std::size_t>(id) < places_.size();
    }
    // Empty for an id that stands for nothing.
    [[nodiscard]] std::string_view piece(TokenId id) const;
    [[nodiscard]] std::optional<TokenId> find(std::string_view piece) const;
    // The length of the longest piece, in bytes.
    [[nodiscard]] std::size_t longest() const { return longest_; }

private:
    struct Place {
        std::uint32_t offset = 0;
        std::uint32_t length = 0;
    };

    // The upper half of the hash tells nearly all other pieces apart without reading them.
    struct Slot {
        std::uint32_t tag = 0;
        TokenId id = -1;
    };

    std::string bytes_;
    std::vector<Place> places_;
    std::vector<Slot> slots_;
    std::size_t longest_ = 0;
};

}  // namespace heddle::text
