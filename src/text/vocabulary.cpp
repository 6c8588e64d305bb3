#include "text/vocabulary.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "text/hash.h"

namespace heddle::text {

void Vocabulary::resize(std::size_t size) {
    places_.resize(size);
}

void Vocabulary::set(TokenId id, std::string_view piece) {
    HEDDLE_CHECK(contains(id), "the loader sizes the vocabulary first");
    places_[static_cast<std::size_t>(id)] = {static_cast<std::uint32_t>(bytes_.size()),
                                             static_cast<std::uint32_t>(piece.size())};
    bytes_.append(piece);
    longest_ = std::max(longest_, piece.size());
}

void Vocabulary::build() {
    slots_.assign(std::bit_ceil(places_.size() * 2 + 1), Slot());
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t id = 0; id < places_.size(); ++id) {
        const std::string_view bytes = piece(static_cast<TokenId>(id));
        if (bytes.empty()) continue;
        const std::uint64_t hash = hash_bytes(bytes);
        std::size_t slot = hash & mask;
        while (slots_[slot].id >= 0 && piece(slots_[slot].id) != bytes) slot = (slot + 1) & mask;
        if (slots_[slot].id >= 0) continue;
        slots_[slot] = {static_cast<std::uint32_t>(hash >> 32), static_cast<TokenId>(id)};
    }
}

std::string_view Vocabulary::piece(TokenId id) const {
    if (!contains(id)) return {};
    const Place place = places_[static_cast<std::size_t>(id)];
    return std::string_view(bytes_).substr(place.offset, place.length);
}

std::optional<TokenId> Vocabulary::find(std::string_view piece_bytes) const {
    if (piece_bytes.size() > longest_ || piece_bytes.empty()) return std::nullopt;
    const std::size_t mask = slots_.size() - 1;
    const std::uint64_t hash = hash_bytes(piece_bytes);
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (std::size_t at = hash & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
        if (slots_[at].tag == tag && piece(slots_[at].id) == piece_bytes) return slots_[at].id;
    }
    return std::nullopt;
}

}  // namespace heddle::text
