#include "ingest/csv/csv_reader.h"

#include <algorithm>
#include <array>
#include <set>

#include "ingest/block_writer.h"
#include "ingest/clean.h"
#include "ingest/plain/plain_text.h"
#include "markup/charset.h"

namespace heddle::ingest::csv {
namespace {

constexpr std::size_t kSampleRows = 20;
constexpr std::size_t kSampleBytes = 64U << 10;
constexpr std::size_t kHeaderBytesMax = 200;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_number(std::string_view text) {
    return text.find_first_of("0123456789") != std::string_view::npos &&
           text.find_first_not_of("0123456789.,+-%eE $\u20ac") == std::string_view::npos;
}

// "Name: Anna | Age: 12", empty cells left out; without names "Anna | 12".
std::string line_of(const Row& row, const Row& names) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string cell = clean_line(row[i]);
        if (cell.empty()) continue;
        if (!line.empty()) line += " | ";
        if (i < names.size() && !names[i].empty()) line += names[i] + ": ";
        line += cell;
    }
    return line;
}

class CsvReader final : public FormatReader {
public:
    explicit CsvReader(ParseLimits limits) : limits_(limits) {}

    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        const markup::DecodedText decoded = markup::decode_text(bytes, {}, /*is_html=*/false);
        std::string_view text = decoded.utf8;
        if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
        RowReader rows(text, find_separator(text));
        BlockWriter blocks(out, limits_);
        Row names;
        Row row;
        if (!rows.next(row)) return tl::unexpected(sandbox::Failure::kEmpty);
        Row second;
        const bool more = rows.next(second);
        if (more && is_header(row)) {
            for (const std::string& name : row) names.push_back(clean_line(name));
        } else {
            blocks.add(BlockKind::kTableRow, line_of(row, names));
        }
        if (more) blocks.add(BlockKind::kTableRow, line_of(second, names));
        while (!blocks.full() && rows.next(row))
            blocks.add(BlockKind::kTableRow, line_of(row, names));
        return blocks.finish();
    }

private:
    const ParseLimits limits_;
};

std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    return std::make_unique<CsvReader>(options.limits);
}

constexpr std::array<std::string_view, 2> kExtensions = {"csv", "tsv"};
constexpr std::array<std::string_view, 4> kOtherTypes = {
    "application/csv", "text/tab-separated-values", "application/vnd.ms-excel", "text/x-csv"};

}  // namespace

std::string RowReader::take_field() {
    std::string field;
    if (rest_.starts_with('"')) {
        rest_.remove_prefix(1);
        while (!rest_.empty()) {
            const std::size_t quote = std::min(rest_.find('"'), rest_.size());
            field += rest_.substr(0, quote);
            rest_.remove_prefix(std::min(quote + 1, rest_.size()));
            if (!rest_.starts_with('"')) break;
            field += '"';
            rest_.remove_prefix(1);
        }
    }
    // Whatever stands between a closing quote and the separator belongs to the field too.
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != separator_ && rest_[end] != '\n' &&
           rest_[end] != '\r')
        ++end;
    field += rest_.substr(0, end);
    rest_.remove_prefix(end);
    return field;
}

bool RowReader::next(Row& row) {
    row.clear();
    if (rest_.empty()) return false;
    for (;;) {
        std::string field = take_field();
        if (row.size() < kColumnsMax) row.push_back(std::move(field));
        if (rest_.empty()) return true;
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == separator_) continue;
        if (c == '\r' && rest_.starts_with('\n')) rest_.remove_prefix(1);
        return true;
    }
}

char find_separator(std::string_view text) {
    char best = ',';
    double best_score = 0;
    for (const char candidate : {',', ';', '\t', '|'}) {
        RowReader rows(text.substr(0, kSampleBytes), candidate);
        Row row;
        std::vector<std::size_t> widths;
        while (widths.size() < kSampleRows && rows.next(row)) {
            if (row.size() > 1 || !row.front().empty()) widths.push_back(row.size());
        }
        if (widths.empty()) continue;
        std::sort(widths.begin(), widths.end());
        const std::size_t usual = widths[widths.size() / 2];
        if (usual < 2) continue;
        const auto even = std::count(widths.begin(), widths.end(), usual);
        // Evenness first; of equally even ones the one that makes more columns.
        const double score = static_cast<double>(even) / static_cast<double>(widths.size()) +
                             static_cast<double>(std::min<std::size_t>(usual, 100)) / 1000;
        if (score > best_score) {
            best_score = score;
            best = candidate;
        }
    }
    return best;
}

bool is_header(const Row& row) {
    std::set<std::string_view> seen;
    return row.size() > 1 && std::all_of(row.begin(), row.end(), [&](const std::string& name) {
               return !clean_line(name).empty() && name.size() <= kHeaderBytesMax &&
                      !is_number(name) && seen.insert(name).second;
           });
}

const Format& csv_format() {
    static constexpr Format kFormat{.name = "csv",
                                    .content_type = "text/csv",
                                    .other_types = kOtherTypes,
                                    .extensions = kExtensions,
                                    .recognises = plain::looks_like_text,
                                    .open = open};
    return kFormat;
}

}  // namespace heddle::ingest::csv
