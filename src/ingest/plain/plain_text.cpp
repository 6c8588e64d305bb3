#include "ingest/plain/plain_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "ingest/clean.h"
#include "markup/charset.h"
#include "text/utf8.h"

namespace heddle::ingest::plain {
namespace {

constexpr std::size_t kBlockBytesMax = 64U << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r\f");
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r\f") - first + 1);
}

// Code keeps its line breaks and indentation.
std::string clean_code_line(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size();) {
        const auto [code_point, length, well_formed] = text::decode_utf8(line, i);
        if (code_point == '\t')
            out += '\t';
        else
            append_clean(out, code_point);
        i += length;
    }
    return out;
}

// 1 to 6 for "# Title", else 0.
std::uint8_t heading_level(std::string_view line) {
    const std::size_t marks = line.find_first_not_of('#');
    if (marks == 0 || marks > 6 || marks == std::string_view::npos || line[marks] != ' ') return 0;
    return static_cast<std::uint8_t>(marks);
}

bool is_underline(std::string_view line, char mark) {
    return line.size() >= 2 && line.find_first_not_of(mark) == std::string_view::npos;
}

bool is_list_item(std::string_view line) {
    if (line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ")) return true;
    std::size_t digits = 0;
    while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits])) != 0)
        ++digits;
    return digits > 0 && digits < 10 && digits + 1 < line.size() &&
           (line[digits] == '.' || line[digits] == ')') && line[digits + 1] == ' ';
}

bool is_fence(std::string_view line) {
    return line.starts_with("```") || line.starts_with("~~~");
}

class BlockReader {
public:
    explicit BlockReader(Dialect dialect) : markdown_(dialect == Dialect::kMarkdown) {}

    void add_line(std::string_view raw) {
        const std::string_view line = trimmed(raw);
        if (in_code_) {
            add_code_line(raw, line);
        } else if (line.empty()) {
            end_block();
        } else if (!markdown_ || !add_marked_line(line)) {
            add_text(BlockKind::kParagraph, line);
        }
    }

    std::vector<Block> finish() {
        end_block();
        return std::move(blocks_);
    }

private:
    void add_code_line(std::string_view raw, std::string_view line) {
        if (line.starts_with(fence_)) {
            in_code_ = false;
            end_block();
            return;
        }
        if (!open_.text.empty()) open_.text += '\n';
        open_.text += clean_code_line(raw.substr(0, raw.find('\r')));
        if (open_.text.size() > kBlockBytesMax) end_block(BlockKind::kCode);
    }

    // Whether the line has a meaning of its own in Markdown.
    bool add_marked_line(std::string_view line) {
        if (is_fence(line)) {
            end_block();
            in_code_ = true;
            fence_ = line.substr(0, 3);
            open_.kind = BlockKind::kCode;
        } else if (const std::uint8_t level = heading_level(line); level > 0) {
            end_block();
            std::string_view title = trimmed(line.substr(level));
            while (title.ends_with('#')) title.remove_suffix(1);
            add_heading(title, level);
        } else if (underlines_paragraph(line)) {
            const std::string title = std::exchange(open_, {}).text;
            add_heading(title, line.front() == '=' ? 1 : 2);
        } else if (is_list_item(line)) {
            end_block();
            add_text(BlockKind::kListItem, line);
        } else if (line.starts_with('|')) {
            end_block();
            // The line that parts a table's head from its rows says nothing.
            if (line.find_first_not_of("|-: ") != std::string_view::npos)
                add_text(BlockKind::kTableRow, line);
            end_block();
        } else {
            return false;
        }
        return true;
    }

    [[nodiscard]] bool underlines_paragraph(std::string_view line) const {
        return open_.kind == BlockKind::kParagraph && !open_.text.empty() &&
               (is_underline(line, '=') || is_underline(line, '-'));
    }

    void add_heading(std::string_view title, std::uint8_t level) {
        Block heading{.kind = BlockKind::kHeading, .level = level, .text = clean_line(title)};
        if (!heading.text.empty()) blocks_.push_back(std::move(heading));
    }

    void add_text(BlockKind kind, std::string_view line) {
        const std::string clean = clean_line(line);
        if (clean.empty()) return;
        if (open_.text.empty()) open_.kind = kind;
        if (!open_.text.empty()) open_.text += ' ';
        open_.text += clean;
        if (open_.text.size() > kBlockBytesMax) end_block();
    }

    void end_block(BlockKind next = BlockKind::kParagraph) {
        if (!open_.text.empty()) blocks_.push_back(std::move(open_));
        open_ = {.kind = next};
    }

    const bool markdown_;
    bool in_code_ = false;
    std::string_view fence_;
    Block open_;
    std::vector<Block> blocks_;
};

template <Dialect kDialect>
class TextReader final : public FormatReader {
public:
    explicit TextReader(ParseLimits limits) : limits_(limits) {}

    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        if (bytes.size() > limits_.text_bytes)
            return tl::unexpected(sandbox::Failure::kTooMuchText);
        const std::string text = markup::decode_text(bytes, {}, /*is_html=*/false).utf8;
        const std::vector<Block> blocks = read_blocks(text, kDialect);
        if (blocks.empty()) return tl::unexpected(sandbox::Failure::kEmpty);
        if (blocks.front().kind == BlockKind::kHeading) out.title(blocks.front().text);
        for (const Block& block : blocks) out.block(block);
        return {};
    }

private:
    const ParseLimits limits_;
};

template <Dialect kDialect>
std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    return std::make_unique<TextReader<kDialect>>(options.limits);
}

constexpr std::array<std::string_view, 2> kTextExtensions = {"txt", "text"};
constexpr std::array<std::string_view, 2> kMarkdownExtensions = {"md", "markdown"};
constexpr std::array<std::string_view, 1> kMarkdownOtherTypes = {"text/x-markdown"};

}  // namespace

bool looks_like_text(std::string_view head) {
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return true;
    return std::none_of(head.begin(), head.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
    });
}

std::vector<Block> read_blocks(std::string_view text, Dialect dialect) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    BlockReader reader(dialect);
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        reader.add_line(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return reader.finish();
}

const Format& text_format() {
    static constexpr Format kFormat{.name = "text",
                                    .content_type = "text/plain",
                                    .other_types = {},
                                    .extensions = kTextExtensions,
                                    .recognises = looks_like_text,
                                    .open = open<Dialect::kPlain>};
    return kFormat;
}

const Format& markdown_format() {
    static constexpr Format kFormat{.name = "markdown",
                                    .content_type = "text/markdown",
                                    .other_types = kMarkdownOtherTypes,
                                    .extensions = kMarkdownExtensions,
                                    .recognises = looks_like_text,
                                    .open = open<Dialect::kMarkdown>};
    return kFormat;
}

}  // namespace heddle::ingest::plain
