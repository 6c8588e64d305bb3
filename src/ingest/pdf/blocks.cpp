#include "ingest/pdf/blocks.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "ingest/clean.h"
#include "ingest/pdf/headings.h"
#include "ingest/pdf/tables.h"
#include "text/utf8.h"

namespace heddle::ingest::pdf {
namespace {

constexpr float kSameSize = 0.15F;      // of the font size
constexpr float kIndent = 0.8F;         // font sizes: the first line of a paragraph
constexpr float kLeadingSlack = 1.35F;  // of the column's usual distance of lines
constexpr float kLeadingMin = 1.5F;     // font sizes
constexpr float kLeadingMax = 3.2F;
constexpr float kFilled = 0.12F;  // of the column's width: a line that ends this far in
constexpr std::size_t kBlockBytesMax = 64U << 10;

char32_t first_of(std::string_view text) {
    return text::decode_utf8(text, 0).code_point;
}
char32_t last_of(std::string_view text) {
    return text::decode_utf8_before(text, text.size()).code_point;
}

bool is_lower(char32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF && c != 0xF7) ||
           (c >= 0x3AC && c <= 0x3CE) || (c >= 0x430 && c <= 0x45F);
}

bool is_letter(char32_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c != 0xD7 && c < 0x2000) || is_lower(c);
}

bool ends_sentence(std::string_view text) {
    const char32_t last = last_of(text);
    constexpr std::u32string_view kEnds = U".!?:;\"”»。！？：";
    return kEnds.find(last) != std::u32string_view::npos;
}

// The bytes of a list mark in front of the text ("• ", "– ", "12. ", "(a) "), 0 without one.
std::size_t list_mark(std::string_view text) {
    static constexpr std::string_view kBullets[] = {"•", "◦", "▪", "■", "●", "‣",
                                                    "·", "*", "–", "—", "-", "o"};
    for (const std::string_view bullet : kBullets) {
        if (text.starts_with(bullet) && text.size() > bullet.size() && text[bullet.size()] == ' ')
            return bullet.size() + 1;
    }
    std::size_t i = text.starts_with('(') ? 1 : 0;
    const std::size_t digits = i;
    while (i < text.size() && i - digits < 3 &&
           std::isdigit(static_cast<unsigned char>(text[i])) != 0)
        ++i;
    if (i == digits && i < text.size() && std::islower(static_cast<unsigned char>(text[i])) != 0)
        ++i;
    if (i == digits || i + 1 >= text.size()) return 0;
    const bool closed = text[i] == ')' || (text[i] == '.' && digits == 0);
    return closed && text[i + 1] == ' ' ? i + 2 : 0;
}

// Where a column stands and how far its lines are apart.
struct Column {
    float left = 0;
    float right = 0;
    float leading = 0;
};

std::unordered_map<std::uint32_t, Column> measure_columns(const std::vector<Row>& rows) {
    std::unordered_map<std::uint32_t, Column> columns;
    std::unordered_map<std::uint32_t, std::vector<float>> distances;
    const Row* before = nullptr;
    for (const Row& row : rows) {
        const auto [entry, fresh] =
            columns.try_emplace(row.region, Column{row.box.left, row.box.right, 0});
        Column& column = entry->second;
        column.left = std::min(column.left, row.box.left);
        column.right = std::max(column.right, row.box.right);
        if (!fresh && before != nullptr && before->region == row.region)
            distances[row.region].push_back(row.baseline - before->baseline);
        before = &row;
    }
    for (auto& [region, values] : distances) {
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        columns[region].leading = *middle;
    }
    return columns;
}

class BlockBuilder {
public:
    explicit BlockBuilder(const Headings& headings) : headings_(headings) {}

    void add_page(const std::vector<Row>& rows, std::uint32_t page) {
        const std::vector<bool> table = find_table_rows(rows);
        const auto columns = measure_columns(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Row& row = rows[i];
            column_ = columns.at(row.region);
            if (table[i])
                add_table_row(row, page);
            else
                add_text_row(row, page);
        }
    }

    std::vector<Block> take() { return std::move(blocks_); }

private:
    void add_table_row(const Row& row, std::uint32_t page) {
        Block block{.kind = BlockKind::kTableRow, .page = page};
        for (const Fragment& cell : row.cells) {
            if (!block.text.empty()) block.text += " | ";
            block.text += clean_line(cell.text);
        }
        block.lines.push_back({page, 0, row.box});
        push(std::move(block));
        last_ = nullptr;
    }

    void add_text_row(const Row& row, std::uint32_t page) {
        const std::string text = clean_line(text_of(row));
        if (text.empty()) return;
        const std::uint8_t level = headings_.level_of(row, page);
        const bool same_page = page == page_;
        page_ = page;
        if (last_ != nullptr && goes_on(row, text, level, same_page)) {
            join(row, text, page);
        } else {
            const bool item = level == 0 && list_mark(text) > 0;
            Block block{.kind = level > 0 ? BlockKind::kHeading
                                : item    ? BlockKind::kListItem
                                          : BlockKind::kParagraph,
                        .level = level,
                        .page = page,
                        .text = text};
            block.lines.push_back({page, 0, row.box});
            push(std::move(block));
        }
        last_ = &row;
        last_column_ = column_;
    }

    // Whether the row belongs to the block of the last row.
    [[nodiscard]] bool goes_on(const Row& row, const std::string& text, std::uint8_t level,
                               bool same_page) const {
        const Block& block = blocks_.back();
        if (block.level != level || block.text.size() > kBlockBytesMax) return false;
        if (std::fabs(row.size - last_->size) > kSameSize * last_->size) return false;
        if (row.rotated != last_->rotated) return false;
        const bool neighbour = same_page && row.region == last_->region;
        if (row.rotated) return same_page;
        if (level > 0) return neighbour && near(row) && row.bold == last_->bold;
        if (last_->hyphenated()) return true;
        if (list_mark(text) > 0) return false;
        if (!neighbour) return flows_over(text);
        if (!near(row)) return false;
        const bool indented = row.box.left > last_->box.left + kIndent * row.size;
        // A list item's further lines are indented under its text.
        if (indented && block.kind == BlockKind::kParagraph && block.lines.size() > 1) return false;
        if (indented && block.kind == BlockKind::kParagraph && ends_sentence(block.text))
            return false;
        const bool outdented = row.box.left < last_->box.left - kIndent * row.size;
        if (outdented && block.lines.size() > 1) return false;
        return filled(*last_) || !ends_sentence(block.text);
    }

    [[nodiscard]] bool near(const Row& row) const {
        const float distance = row.baseline - last_->baseline;
        const float usual = std::clamp(kLeadingSlack * column_.leading, kLeadingMin * row.size,
                                       kLeadingMax * row.size);
        return distance > 0 && distance <= usual;
    }

    [[nodiscard]] bool filled(const Row& row) const {
        return row.box.right >=
               last_column_.right - kFilled * (last_column_.right - last_column_.left);
    }

    // From one column or page to the next.
    [[nodiscard]] bool flows_over(const std::string& text) const {
        if (ends_sentence(blocks_.back().text)) return false;
        return is_lower(first_of(text)) || (filled(*last_) && blocks_.back().lines.size() > 1);
    }

    void join(const Row& row, const std::string& text, std::uint32_t page) {
        Block& block = blocks_.back();
        std::string& whole = block.text;
        const bool letter_before_hyphen =
            whole.size() > 1 && whole.back() == '-' &&
            is_letter(last_of(std::string_view(whole).substr(0, whole.size() - 1)));
        const bool lower = is_lower(first_of(text));
        if (last_->hyphenated()) {
            // PDFium has taken the hyphen away; it stands in front of capitals and numbers.
            if (!lower && !letter_before_hyphen) whole += '-';
        } else if (letter_before_hyphen) {
            if (lower) whole.pop_back();
        } else {
            whole += ' ';
        }
        block.lines.push_back({page, static_cast<std::uint32_t>(whole.size()), row.box});
        whole += text;
    }

    void push(Block block) {
        if (!block.text.empty()) blocks_.push_back(std::move(block));
    }

    const Headings& headings_;
    std::vector<Block> blocks_;
    Column column_;
    Column last_column_;
    const Row* last_ = nullptr;  // of the pages given to build_blocks
    std::uint32_t page_ = 0;
};

}  // namespace

std::vector<Block> build_blocks(const std::vector<PageRows>& pages,
                                const std::vector<OutlineEntry>& outline) {
    const Headings headings(pages, outline);
    BlockBuilder builder(headings);
    for (std::size_t i = 0; i < pages.size(); ++i)
        builder.add_page(pages[i].rows, static_cast<std::uint32_t>(i + 1));
    return builder.take();
}

}  // namespace heddle::ingest::pdf
