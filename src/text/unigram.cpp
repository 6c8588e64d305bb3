#include "text/unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "text/utf8.h"

namespace heddle::text {

// The best way to cover a word up to a place: its last piece and where that begins.
struct Unigram::Node {
    double score = 0;
    TokenId id = kUnreached;
    std::uint32_t begin = 0;

    static constexpr TokenId kUnreached = -2;
    static constexpr TokenId kUnknown = -1;
};

namespace {

constexpr double kUnknownPenalty = 10.0;  // as SentencePiece has it

}  // namespace

Unigram::Unigram(Vocabulary pieces, std::vector<double> scores, const UnigramOptions& options)
    : pieces_(std::move(pieces)), scores_(std::move(scores)), options_(options) {
    std::vector<std::pair<std::string, TokenId>> entries;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        lowest = std::min(lowest, scores_[i]);
        entries.emplace_back(pieces_.piece(static_cast<TokenId>(i)), static_cast<TokenId>(i));
    }
    trie_ = ByteTrie(std::move(entries));
    unknown_score_ = (scores_.empty() ? 0 : lowest) - kUnknownPenalty;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        fallback_[byte] = pieces_.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
    }
}

void Unigram::find_best_path(std::string_view word, std::vector<Node>& ends) const {
    for (std::size_t begin = 0; begin < word.size();) {
        const std::size_t width = decode_utf8(word, begin).length;
        const double here = ends[begin].score;
        bool covered = false;  // by a piece of one character
        const auto offer = [&](TokenId id, std::size_t length, double score) {
            Node& end = ends[begin + length];
            if (end.id != Node::kUnreached && score <= end.score) return;
            end = {score, id, static_cast<std::uint32_t>(begin)};
        };
        trie_.each_prefix(word, begin, [&](TokenId id, std::size_t length) {
            offer(id, length, here + scores_[static_cast<std::size_t>(id)]);
            covered |= length == width;
        });
        if (!covered) offer(Node::kUnknown, width, here + unknown_score_);
        begin += width;
    }
}

void Unigram::tokenize(std::string_view word, std::uint32_t offset, std::vector<Token>& out) const {
    std::vector<Node> ends(word.size() + 1);
    find_best_path(word, ends);
    std::vector<Node> path;  // from the end
    for (std::size_t end = word.size(); end > 0; end = path.back().begin) {
        path.push_back(ends[end]);
        // A piece that the vocabulary calls unknown counts as unknown text.
        if (options_.unknown && path.back().id == *options_.unknown) {
            path.back().id = Node::kUnknown;
        }
    }
    for (std::size_t i = path.size(); i-- > 0;) {
        const std::uint32_t begin = path[i].begin;
        const bool unknown = path[i].id == Node::kUnknown;
        while (unknown && i > 0 && path[i - 1].id == Node::kUnknown) --i;
        const auto end = static_cast<std::uint32_t>(i == 0 ? word.size() : path[i - 1].begin);
        if (unknown) {
            add_unknown(word.substr(begin, end - begin), offset + begin, out);
        } else {
            out.push_back({path[i].id, {offset + begin, offset + end}});
        }
    }
}

void Unigram::add_unknown(std::string_view bytes, std::uint32_t offset,
                          std::vector<Token>& out) const {
    const ByteRange range = {offset, offset + static_cast<std::uint32_t>(bytes.size())};
    // Unknown characters in a row may spell a piece that the best path did not take.
    if (const std::optional<TokenId> id = pieces_.find(bytes)) {
        out.push_back({*id, range});
        return;
    }
    const auto fallback = [this](char c) { return fallback_[static_cast<unsigned char>(c)]; };
    if (options_.byte_fallback &&
        std::ranges::all_of(bytes, [&](char c) { return fallback(c) >= 0; })) {
        for (const char c : bytes) out.push_back({fallback(c), range});
    } else if (options_.unknown) {
        out.push_back({*options_.unknown, range});
    }
}

}  // namespace heddle::text
