// What words became, so that a word met again is not merged again: a direct-mapped table of 64-byte
// entries. Any thread reads and writes without locks: an entry that two threads wrote at once, or
// that was read while it was written, fails its checksum and counts as absent.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "text/vocabulary.h"

namespace heddle::text {

// A token of a word: which, and how many of the word's bytes.
struct WordPart {
    TokenId id = 0;
    std::uint8_t bytes = 0;
};

class WordCache {
public:
    static constexpr std::size_t kBytesMax = 24;
    static constexpr std::size_t kPartsMax = 6;

    WordCache();

    // The number of parts written to `parts`; 0 when the word is not known.
    [[nodiscard]] std::size_t find(std::string_view word,
                                   std::span<WordPart, kPartsMax> parts) const;
    // Words or results that are too long are not kept. No part has an id below 0.
    void keep(std::string_view word, std::span<const WordPart> parts) const;

private:
    // Three words of bytes, three of ids, one of lengths (low byte: the word's), a checksum.
    static constexpr std::size_t kWords = 8;
    using Content = std::array<std::uint64_t, kWords - 1>;
    struct alignas(64) Entry {
        std::array<std::atomic<std::uint64_t>, kWords> words{};
    };

    [[nodiscard]] static Content content_of(std::string_view word);
    [[nodiscard]] static std::uint64_t checksum(const Content& content);
    [[nodiscard]] Entry& entry_of(const Content& content) const;

    std::unique_ptr<std::array<Entry, 4096>> entries_;
};

}  // namespace heddle::text
