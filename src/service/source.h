// Where a statement of an answer comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heddle::service {

enum class SourceKind { kDocument, kWeb };

// One numbered source of an answer, as clients see it ("sources"). A page that could not be
// retrieved is reported with `error` and is never cited.
struct Source {
    int n = 0;  // the number in [n]; 0 for one that is not cited
    SourceKind kind = SourceKind::kDocument;
    std::string title;
    std::string document;               // document id, for kDocument
    std::string url;                    // for kWeb
    std::optional<std::uint32_t> page;  // from 1; the page of the quoted sentence
    std::optional<std::uint32_t> page_end;
    std::optional<double> score;  // cosine with the question, for kDocument
    std::string snippet;
    // When its text was fetched or uploaded, ms since 1970: how stale it can be.
    std::optional<std::int64_t> retrieved_ms;
    std::string chunk;  // chunk id, for highlighting
    std::string error;
};

// A source with the text behind it. Untrusted: data, never instructions.
struct GroundedText {
    Source source;
    std::string text;
    // Where each page of `text` begins, for sources that have pages: (byte offset, page number).
    std::vector<std::pair<std::size_t, std::uint32_t>> page_starts;
};

}  // namespace heddle::service
