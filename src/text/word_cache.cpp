#include "text/word_cache.h"

#include <cstring>

#include "text/hash.h"

namespace heddle::text {
namespace {

constexpr std::size_t kIds = 3;      // the first word of ids
constexpr std::size_t kLengths = 6;  // the word of lengths

}  // namespace

WordCache::WordCache() : entries_(std::make_unique<std::array<Entry, 4096>>()) {}

WordCache::Content WordCache::content_of(std::string_view word) {
    Content content{};
    std::memcpy(content.data(), word.data(), word.size());
    content[kLengths] = word.size();
    return content;
}

std::uint64_t WordCache::checksum(const Content& content) {
    // Not zero for an entry that was never written.
    std::uint64_t sum = 0x9E3779B97F4A7C15ULL;
    for (const std::uint64_t word : content) sum = (sum << 7 | sum >> 57) + word * sum;
    return mix(sum) | 1;
}

WordCache::Entry& WordCache::entry_of(const Content& content) const {
    const std::uint64_t hash = content[0] * 0x9E3779B97F4A7C15ULL ^
                               content[1] * 0xC2B2AE3D27D4EB4FULL ^
                               content[2] * 0x165667B19E3779F9ULL ^ content[kLengths];
    return (*entries_)[mix(hash) % entries_->size()];
}

std::size_t WordCache::find(std::string_view word, std::span<WordPart, kPartsMax> parts) const {
    if (word.size() > kBytesMax || word.empty()) return 0;
    const Content wanted = content_of(word);
    const Entry& entry = entry_of(wanted);
    Content content;
    for (std::size_t i = 0; i < content.size(); ++i) {
        content[i] = entry.words[i].load(std::memory_order_relaxed);
    }
    const bool same = content[0] == wanted[0] && content[1] == wanted[1] &&
                      content[2] == wanted[2] && (content[kLengths] & 0xFF) == word.size();
    if (!same || entry.words.back().load(std::memory_order_relaxed) != checksum(content)) return 0;
    std::size_t count = 0;
    for (; count < kPartsMax; ++count) {
        const auto bytes = static_cast<std::uint8_t>(content[kLengths] >> (8 * (count + 1)));
        if (bytes == 0) break;
        const std::uint64_t ids = content[kIds + count / 2];
        parts[count] = {static_cast<TokenId>(ids >> (32 * (count % 2)) & 0xFFFFFFFFU), bytes};
    }
    return count;
}

void WordCache::keep(std::string_view word, std::span<const WordPart> parts) const {
    if (word.size() > kBytesMax || word.empty() || parts.size() > kPartsMax) return;
    Content content = content_of(word);
    Entry& entry = entry_of(content);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        content[kIds + i / 2] |= static_cast<std::uint64_t>(parts[i].id) << (32 * (i % 2));
        content[kLengths] |= static_cast<std::uint64_t>(parts[i].bytes) << (8 * (i + 1));
    }
    for (std::size_t i = 0; i < content.size(); ++i) {
        entry.words[i].store(content[i], std::memory_order_relaxed);
    }
    entry.words.back().store(checksum(content), std::memory_order_relaxed);
}

}  // namespace heddle::text
