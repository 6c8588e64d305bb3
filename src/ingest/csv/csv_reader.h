// Tables as text (RFC 4180 and what spreadsheets make of it): each row becomes a line of its own
// that names its columns, so that a passage can be read without the top of the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/formats.h"

namespace heddle::ingest::csv {

[[nodiscard]] const Format& csv_format();

using Row = std::vector<std::string>;

// Comma, semicolon, tab or bar: what parts the first rows most evenly.
[[nodiscard]] char find_separator(std::string_view text);

// Rows one after another. A quoted field may hold separators, line breaks and doubled quotes.
class RowReader {
public:
    RowReader(std::string_view text, char separator) : rest_(text), separator_(separator) {}
    // False at the end. Fields past `kColumnsMax` are read over.
    [[nodiscard]] bool next(Row& row);

    static constexpr std::size_t kColumnsMax = 1000;

private:
    [[nodiscard]] std::string take_field();

    std::string_view rest_;
    const char separator_;
};

// Whether the first row names the columns: all of it filled, different, and no numbers.
[[nodiscard]] bool is_header(const Row& row);

}  // namespace heddle::ingest::csv
