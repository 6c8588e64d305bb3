// A set of byte strings with ids, asked which of them begin at a place of a text. Immutable; any
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocabulary.h"

namespace heddle::text {

class ByteTrie {
public:
    struct Match {
        TokenId id = -1;
        std::size_t length = 0;  // bytes; 0 when nothing matches
    };

    ByteTrie() = default;
    // Of equal strings the lowest id stands; empty ones are left out.
    explicit ByteTrie(std::vector<std::pair<std::string, TokenId>> entries);

    [[nodiscard]] bool empty() const { return nodes_.empty(); }
    // Whether some string begins with `byte`: what lets a scan pass over most places.
    [[nodiscard]] bool may_start_with(char byte) const {
        return starts_[static_cast<unsigned char>(byte)];
    }
    // The longest string that begins at `position`.
    [[nodiscard]] Match longest(std::string_view text, std::size_t position) const;

    // Calls `visit(id, length)` for every string that begins at `position`, shortest first.
    template <class Visit>
    void each_prefix(std::string_view text, std::size_t position, const Visit& visit) const {
        if (nodes_.empty()) return;
        const Node* node = nodes_.data();
        for (std::size_t i = position; i < text.size(); ++i) {
            node = child(*node, static_cast<unsigned char>(text[i]));
            if (node == nullptr) return;
            if (node->id >= 0) visit(node->id, i + 1 - position);
        }
    }

private:
    // The children of a node stand together, in the order of their bytes.
    struct Node {
        TokenId id = -1;
        std::uint32_t first_child = 0;
        std::uint16_t child_count = 0;
        std::uint8_t byte = 0;
    };

    [[nodiscard]] const Node* child(const Node& node, unsigned char byte) const {
        const Node* const begin = nodes_.data() + node.first_child;
        const Node* const end = begin + node.child_count;
        const Node* const found = std::lower_bound(
            begin, end, byte, [](const Node& n, unsigned char b) { return n.byte < b; });
        return found != end && found->byte == byte ? found : nullptr;
    }

    std::vector<Node> nodes_;
    std::vector<bool> starts_ = std::vector<bool>(256);
};

}  // namespace heddle::text
