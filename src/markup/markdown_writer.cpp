#include "markup/markdown_writer.h"

#include <algorithm>
#include <vector>

namespace heddle::markup {

namespace {

// Zero-width and direction-changing characters: they are how text is hidden from a reader.
std::size_t invisible_sequence(std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    for (const std::string_view hidden :
         {"\xE2\x80\x8B", "\xE2\x81\xA0", "\xEF\xBB\xBF", "\xE2\x80\xAA", "\xE2\x80\xAB",
          "\xE2\x80\xAC", "\xE2\x80\xAD", "\xE2\x80\xAE", "\xC2\xAD"}) {
        if (rest.starts_with(hidden)) return hidden.size();
    }
    // Tag characters, U+E0000 to U+E007F.
    if (rest.size() >= 4 && rest.starts_with("\xF3\xA0") &&
        (rest[2] == '\x80' || rest[2] == '\x81')) {
        return 4;
    }
    return 0;
}

class Writer {
public:
    explicit Writer(const PageView& page) : page_(page) {}

    std::string write(NodeIndex root) {
        const auto nodes = page_.tree().nodes();
        for (NodeIndex i = root; i < nodes[root].end;) {
            close_until(i);
            if (page_.removed(i)) {
                i = nodes[i].end;
                continue;
            }
            if (nodes[i].kind == NodeKind::kText) {
                text(nodes[i].text);
            } else if (nodes[i].kind == NodeKind::kElement) {
                if (nodes[i].tag == Tag::kTable && is_data_table(i)) {
                    table(i);
                    i = nodes[i].end;
                    continue;
                }
                open(i);
            }
            ++i;
        }
        close_until(nodes[root].end);
        end_line();
        while (!out_.empty() && out_.back() == '\n') out_.pop_back();
        return std::move(out_);
    }

    // Text of a subtree on one line.
    std::string line_of(NodeIndex root) {
        const auto nodes = page_.tree().nodes();
        std::string line;
        std::swap(line, line_);
        for (NodeIndex i = root; i < nodes[root].end;) {
            if (page_.removed(i)) {
                i = nodes[i].end;
                continue;
            }
            if (nodes[i].kind == NodeKind::kText) inline_text(nodes[i].text);
            if (nodes[i].kind == NodeKind::kElement &&
                (is_block(nodes[i].tag) || nodes[i].tag == Tag::kBr)) {
                inline_text(" ");
            }
            ++i;
        }
        std::swap(line, line_);
        while (line.ends_with(' ')) line.pop_back();
        return line;
    }

private:
    struct Open {
        NodeIndex end;
        Tag tag;
        int number = 0;  // of the next item of an ordered list
    };

    void close_until(NodeIndex position) {
        while (!open_.empty() && open_.back().end <= position) {
            const Tag tag = open_.back().tag;
            open_.pop_back();
            if (tag == Tag::kPre) {
                end_line();
                out_ += "```\n";
                preformatted_ = false;
                blank_line();
            } else if (is_block(tag)) {
                end_line();
                const bool row = tag == Tag::kLi || tag == Tag::kTr || tag == Tag::kDt ||
                                 tag == Tag::kDd || is_list(tag);
                if (!row || (is_list(tag) && !inside_list())) wants_blank_ = true;
            }
        }
    }

    static bool is_list(Tag tag) { return tag == Tag::kUl || tag == Tag::kOl || tag == Tag::kMenu; }

    [[nodiscard]] bool inside_list() const {
        return std::any_of(open_.begin(), open_.end(),
                           [](const Open& open) { return is_list(open.tag); });
    }

    void open(NodeIndex node) {
        const Tag tag = page_.tree()[node].tag;
        const NodeIndex end = page_.tree()[node].end;
        if (tag == Tag::kBr) {
            end_line();
            return;
        }
        if (!is_block(tag)) {
            if (tag == Tag::kTd || tag == Tag::kTh) inline_text(" ");
            return;
        }
        end_line();
        if (is_heading(tag)) {
            wants_blank_ = true;
            prefix_ =
                std::string(static_cast<std::size_t>(tag) - static_cast<std::size_t>(Tag::kH1) + 1,
                            '#') +
                " ";
        } else if (tag == Tag::kLi) {
            prefix_ = item_prefix();
        } else if (tag == Tag::kPre && !preformatted_) {
            blank_line();
            out_ += "```\n";
            preformatted_ = true;
        } else if (tag == Tag::kBlockquote || tag == Tag::kP || tag == Tag::kTable) {
            wants_blank_ = true;
            if (tag == Tag::kBlockquote) prefix_ = "> ";
        }
        open_.push_back({end, tag});
    }

    std::string item_prefix() {
        std::size_t depth = 0;
        Open* list = nullptr;
        for (auto& open : open_) {
            if (is_list(open.tag)) {
                ++depth;
                list = &open;
            }
        }
        const std::string indent(2 * std::min<std::size_t>(depth > 0 ? depth - 1 : 0, 8), ' ');
        if (list != nullptr && list->tag == Tag::kOl) {
            return indent + std::to_string(++list->number) + ". ";
        }
        return indent + "- ";
    }

    void text(std::string_view text) {
        if (!preformatted_) {
            inline_text(text);
            return;
        }
        if (out_.ends_with("```\n") && text.starts_with('\n')) text.remove_prefix(1);
        out_ += text;
    }

    // Collapses white space; a line never starts with a space.
    void inline_text(std::string_view text) {
        for (std::size_t i = 0; i < text.size();) {
            const char c = text[i];
            const bool no_break = text.substr(i).starts_with("\xC2\xA0");
            if (is_html_space(c) || no_break) {
                if (!line_.empty() && !line_.ends_with(' ')) line_ += ' ';
                i += no_break ? 2 : 1;
                continue;
            }
            if (static_cast<unsigned char>(c) >= 0x80) {
                if (const std::size_t hidden = invisible_sequence(text, i); hidden > 0) {
                    i += hidden;
                    continue;
                }
            }
            line_ += c;
            ++i;
        }
    }

    void end_line() {
        if (preformatted_) {
            if (!out_.empty() && out_.back() != '\n') out_ += '\n';
            return;
        }
        while (line_.ends_with(' ')) line_.pop_back();
        if (line_.empty()) return;
        if (wants_blank_) blank_line();
        out_ += prefix_;
        out_ += line_;
        out_ += '\n';
        line_.clear();
        prefix_.clear();
    }

    void blank_line() {
        wants_blank_ = false;
        if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
    }

    // A table whose cells hold no blocks of their own; others are layout.
    bool is_data_table(NodeIndex table) const {
        const auto nodes = page_.tree().nodes();
        std::size_t rows = 0;
        std::size_t cells = 0;
        for (NodeIndex i = table + 1; i < nodes[table].end; ++i) {
            switch (nodes[i].tag) {
                case Tag::kTable:
                case Tag::kUl:
                case Tag::kOl:
                case Tag::kPre:
                case Tag::kH1:
                case Tag::kH2:
                case Tag::kArticle:
                case Tag::kSection:
                case Tag::kForm:
                    return false;
                case Tag::kTr:
                    ++rows;
                    break;
                case Tag::kTd:
                case Tag::kTh:
                    ++cells;
                    if (page_.amount(i).characters > 600) return false;
                    break;
                default:
                    break;
            }
        }
        return rows >= 2 && cells > rows;
    }

    void table(NodeIndex table) {
        end_line();
        blank_line();
        const auto nodes = page_.tree().nodes();
        std::vector<std::string> row;
        bool first = true;
        const auto finish = [&] {
            const bool empty = std::all_of(row.begin(), row.end(),
                                           [](const std::string& cell) { return cell.empty(); });
            if (!empty) {
                out_ += "|";
                for (const auto& cell : row) out_ += " " + cell + " |";
                out_ += "\n";
                if (first) {
                    out_ += "|";
                    for (std::size_t i = 0; i < row.size(); ++i) out_ += " --- |";
                    out_ += "\n";
                }
                first = false;
            }
            row.clear();
        };
        for (NodeIndex i = table + 1; i < nodes[table].end;) {
            const Tag tag = nodes[i].tag;
            if (page_.removed(i)) {
                i = nodes[i].end;
            } else if (tag == Tag::kTd || tag == Tag::kTh) {
                row.push_back(line_of(i));
                std::replace(row.back().begin(), row.back().end(), '|', '/');
                i = nodes[i].end;
            } else if (tag == Tag::kCaption) {
                const std::string caption = line_of(i);
                if (!caption.empty()) out_ += caption + "\n\n";
                i = nodes[i].end;
            } else {
                if (tag == Tag::kTr) finish();
                ++i;
            }
        }
        finish();
        wants_blank_ = true;
    }

    const PageView& page_;
    std::string out_;
    std::string line_;
    std::string prefix_;
    std::vector<Open> open_;
    bool preformatted_ = false;
    bool wants_blank_ = false;
};

}  // namespace

std::string write_markdown(const PageView& page, NodeIndex root) {
    return Writer(page).write(root);
}

std::string plain_text(const PageView& page, NodeIndex root) {
    return Writer(page).line_of(root);
}

}  // namespace heddle::markup
