#include "ingest/packing.h"

#include <algorithm>

#include "base/check.h"
#include "text/utf8.h"

namespace heddle::ingest {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

class Splitter {
public:
    Splitter(std::string_view text, std::size_t tokens_max, const CountTokens& count_tokens)
        : text_(text), tokens_max_(tokens_max), count_tokens_(count_tokens) {}

    std::vector<Piece> split(std::size_t begin, std::size_t end) {
        std::size_t at = begin;
        while (at < end) {
            if (is_space(text_[at])) {
                ++at;
                continue;
            }
            std::size_t word_end = at;
            while (word_end < end && !is_space(text_[word_end])) ++word_end;
            add_word(at, word_end);
            at = word_end;
        }
        finish();
        return std::move(pieces_);
    }

private:
    void add_word(std::size_t begin, std::size_t end) {
        const std::size_t tokens = count(begin, end);
        if (tokens > tokens_max_) {
            finish();
            cut_word(begin, end);
            return;
        }
        if (open_.end > open_.begin && open_.tokens + tokens > tokens_max_) finish();
        if (open_.end == open_.begin) open_.begin = begin;
        open_.end = end;
        open_.tokens += tokens;
    }

    // The sum over words may be a little less than the count of the whole: checked, and halved
    // where it is.
    void finish() {
        if (open_.end == open_.begin) return;
        const Piece piece = open_;
        open_ = {};
        const std::size_t tokens = count(piece.begin, piece.end);
        if (tokens <= tokens_max_) {
            pieces_.push_back({piece.begin, piece.end, tokens});
            return;
        }
        std::size_t middle = piece.begin + (piece.end - piece.begin) / 2;
        while (middle > piece.begin && !is_space(text_[middle])) --middle;
        if (middle == piece.begin) {
            cut_word(piece.begin, piece.end);
            return;
        }
        split_part(piece.begin, middle);
        split_part(middle, piece.end);
    }

    void split_part(std::size_t begin, std::size_t end) {
        const auto parts = Splitter(text_, tokens_max_, count_tokens_).split(begin, end);
        pieces_.insert(pieces_.end(), parts.begin(), parts.end());
    }

    // The longest prefixes that fit, found by halving.
    void cut_word(std::size_t begin, std::size_t end) {
        while (begin < end) {
            std::size_t length = end - begin;
            std::size_t cut = end;
            while (count(begin, cut) > tokens_max_ && length > 1) {
                length /= 2;
                cut = text::floor_utf8(text_, begin + length);
                if (cut <= begin) cut = begin + text::decode_utf8(text_, begin).length;
            }
            pieces_.push_back({begin, cut, count(begin, cut)});
            begin = cut;
        }
    }

    [[nodiscard]] std::size_t count(std::size_t begin, std::size_t end) const {
        return count_tokens_(text_.substr(begin, end - begin));
    }

    const std::string_view text_;
    const std::size_t tokens_max_;
    const CountTokens& count_tokens_;
    Piece open_;
    std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> split_at_words(std::string_view text, std::size_t begin, std::size_t end,
                                  std::size_t tokens_max, const CountTokens& count_tokens) {
    HEDDLE_CHECK(tokens_max > 0 && end <= text.size(), "a piece holds at least one token");
    return Splitter(text, tokens_max, count_tokens).split(begin, end);
}

}  // namespace heddle::ingest
