#include "service/document_texts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "service/passages.h"
#include "text/utf8.h"

namespace heddle::service {
namespace {

using search::StoredChunk;

constexpr std::size_t kWholeBytesMax = 20U << 20;
constexpr std::size_t kChunksAtOnce = 500;

std::size_t byte_of_character(std::string_view text, std::uint64_t character) {
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < character && at < text.size(); ++i)
        at += text::decode_utf8(text, at).length;
    return at;
}

// Passages in a row put together.
class Joined {
public:
    void add(const StoredChunk& chunk) {
        std::size_t skip = 0;
        if (!text_.text.empty() && chunk.char_start < char_end_)
            skip = byte_of_character(chunk.text, char_end_ - chunk.char_start);
        const std::string_view fresh = std::string_view(chunk.text).substr(skip);
        char_end_ = std::max(char_end_, chunk.char_end);
        if (fresh.empty()) return;
        if (!text_.text.empty()) text_.text += skip > 0 ? "" : "\n\n";
        const std::size_t base = text_.text.size();
        for (const auto& [start, page] : page_starts_of(chunk.boxes)) {
            auto& starts = text_.page_starts;
            if (!starts.empty() && starts.back().second == page) continue;
            starts.emplace_back(base + (start > skip ? start - skip : 0), page);
        }
        text_.text += fresh;
    }
    [[nodiscard]] std::size_t bytes() const { return text_.text.size(); }
    [[nodiscard]] GroundedText take(Source source) {
        text_.source = std::move(source);
        if (!text_.page_starts.empty()) {
            text_.source.page = text_.page_starts.front().second;
            text_.source.page_end = text_.page_starts.back().second;
        }
        return std::move(text_);
    }

private:
    GroundedText text_;
    std::uint64_t char_end_ = 0;
};

struct Section {
    std::size_t first = 0;  // of the passages looked at
    std::size_t last = 0;
};

// The passages around `hit` that stand under the same heading, nearest first while they fit.
Section section_around(const std::vector<StoredChunk>& chunks, std::size_t hit,
                       std::size_t bytes_max) {
    Section section{hit, hit};
    std::size_t bytes = chunks[hit].text.size();
    bool down = true;
    bool up = true;
    while (down || up) {
        const auto take = [&](std::size_t next) {
            const StoredChunk& chunk = chunks[next];
            const bool fits = chunk.heading_path == chunks[hit].heading_path &&
                              bytes + chunk.text.size() <= bytes_max;
            if (fits) bytes += chunk.text.size();
            return fits;
        };
        down = down && section.last + 1 < chunks.size() && take(section.last + 1);
        if (down) ++section.last;
        up = up && section.first > 0 && take(section.first - 1);
        if (up) --section.first;
    }
    return section;
}

struct Widened {
    std::string document;
    std::uint32_t first = 0;  // ordinals
    std::uint32_t last = 0;
};

}  // namespace

async::Task<Result<GroundedText>> read_whole_document(search::Collections& collections,
                                                      std::string owner, std::string collection,
                                                      Source source) {
    Joined whole;
    for (std::uint32_t first = 0;;) {
        HEDDLE_CO_TRY(
            const auto chunks,
            co_await collections.chunks(owner, collection, source.document, first, kChunksAtOnce));
        for (const StoredChunk& chunk : chunks) {
            if (whole.bytes() < kWholeBytesMax) whole.add(chunk);
        }
        if (chunks.size() < kChunksAtOnce || whole.bytes() >= kWholeBytesMax) break;
        first += static_cast<std::uint32_t>(chunks.size());
    }
    co_return whole.take(std::move(source));
}

async::Task<Result<std::vector<GroundedText>>> widen_to_sections(search::Collections& collections,
                                                                 std::string owner,
                                                                 std::string collection,
                                                                 std::vector<GroundedText> hits,
                                                                 SectionOptions options) {
    std::vector<GroundedText> texts;
    std::vector<Widened> taken;
    for (GroundedText& hit : hits) {
        const auto ordinal = search::chunk_ordinal(hit.source.chunk, hit.source.document);
        if (!ordinal) {
            texts.push_back(std::move(hit));
            continue;
        }
        const bool there = std::any_of(taken.begin(), taken.end(), [&](const Widened& other) {
            return other.document == hit.source.document && *ordinal >= other.first &&
                   *ordinal <= other.last;
        });
        if (there) continue;
        const std::uint32_t first = *ordinal - std::min(*ordinal, options.passages_max);
        HEDDLE_CO_TRY(const auto chunks,
                      co_await collections.chunks(owner, collection, hit.source.document, first,
                                                  *ordinal - first + 1 + options.passages_max));
        const std::size_t at = *ordinal - first;
        if (at >= chunks.size()) {  // it was replaced meanwhile
            texts.push_back(std::move(hit));
            continue;
        }
        const Section section = section_around(chunks, at, options.bytes_max);
        Joined joined;
        for (std::size_t i = section.first; i <= section.last; ++i) joined.add(chunks[i]);
        taken.push_back(
            {hit.source.document, chunks[section.first].ordinal, chunks[section.last].ordinal});
        texts.push_back(joined.take(std::move(hit.source)));
    }
    co_return texts;
}

}  // namespace heddle::service
