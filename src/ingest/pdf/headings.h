// Which rows are headings, and of which level.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/pdf/outline.h"
#include "ingest/pdf/running_heads.h"

namespace heddle::ingest::pdf {

class Headings {
public:
    Headings(const std::vector<PageRows>& pages, const std::vector<OutlineEntry>& outline);

    // 1 to 6, or 0 for a row that is no heading. Pages count from 1.
    [[nodiscard]] std::uint8_t level_of(const Row& row, std::uint32_t page) const;

    // The size in which most of the document is set.
    [[nodiscard]] float body_size() const { return body_size_; }

private:
    [[nodiscard]] std::uint8_t outline_level(const Row& row, std::uint32_t page) const;
    [[nodiscard]] bool looks_like_heading(const Row& row) const;
    void rank_sizes(const std::vector<PageRows>& pages);

    struct Title {
        std::string letters;  // without spaces and punctuation, in lower case
        std::uint8_t level = 0;
    };
    std::unordered_map<std::uint32_t, std::vector<Title>> outline_;  // by page
    std::vector<float> sizes_;                                       // of headings, largest first
    float body_size_ = 0;
    bool body_bold_ = false;
};

// All cells of a row, with spaces between them.
[[nodiscard]] std::string text_of(const Row& row);

}  // namespace heddle::ingest::pdf
