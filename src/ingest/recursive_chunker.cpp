#include "ingest/recursive_chunker.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "ingest/laid_out.h"
#include "ingest/packing.h"
#include "text/sentences.h"

namespace heddle::ingest {
namespace {

constexpr std::size_t kContextShare = 4;  // title and headings take at most one part in four

class RecursiveChunker {
public:
    RecursiveChunker(const ParsedDocument& document, std::string_view name,
                     const ChunkerConfig& config, EmbedderLimit limit,
                     const CountTokens& count_tokens)
        : config_(config),
          tokens_max_(std::min(config.tokens, limit.tokens)),
          // What the context may take is kept free in every passage.
          room_(config.embed_context ? tokens_max_ - tokens_max_ / kContextShare : tokens_max_),
          overlap_(std::min(config.overlap, room_ / 2)),
          count_tokens_(count_tokens),
          source_(lay_out(document)),
          characters_(source_.text),
          title_(document.title.empty() ? std::string(name) : document.title) {}

    std::vector<Chunk> run() {
        for (const PlacedBlock& placed : source_.blocks) split_block(placed);
        emit_open();
        return std::move(chunks_);
    }

private:
    // Overlaps are made of whole pieces, so these are no longer than the overlap.
    [[nodiscard]] std::size_t piece_max() const { return overlap_ > 0 ? overlap_ : room_; }

    void split_block(const PlacedBlock& placed) {
        const std::size_t begin = placed.begin;
        const std::size_t end = begin + placed.block->text.size();
        if (placed.block->kind == BlockKind::kHeading) entered_.push_back({begin, placed.block});
        const std::size_t tokens = count(begin, end);
        if (tokens <= piece_max()) {
            add({begin, end, tokens});
            return;
        }
        for (const text::ByteRange sentence : text::split_sentences(placed.block->text))
            split_sentence(begin + sentence.begin, begin + sentence.end);
    }

    void split_sentence(std::size_t begin, std::size_t end) {
        const std::size_t tokens = count(begin, end);
        if (tokens <= piece_max()) {
            add({begin, end, tokens});
            return;
        }
        for (const Piece& piece :
             split_at_words(source_.text, begin, end, piece_max(), count_tokens_))
            add(piece);
    }

    void add(const Piece& piece) {
        if (!open_.empty() && open_tokens_ + piece.tokens > room_) {
            emit_open();
            keep_overlap(piece.tokens);
        }
        open_.push_back(piece);
        open_tokens_ += piece.tokens;
        fresh_ = true;
    }

    // What the next passage repeats: the last pieces, as many as the overlap holds and as leave
    // room for the piece to come.
    void keep_overlap(std::size_t coming) {
        while (!open_.empty() && (open_tokens_ > overlap_ || open_tokens_ + coming > room_)) {
            open_tokens_ -= open_.front().tokens;
            open_.pop_front();
        }
        fresh_ = false;
    }

    void emit_open() {
        if (open_.empty() || !fresh_) return;
        const std::size_t begin = open_.front().begin;
        const std::size_t end = open_.back().end;
        while (!entered_.empty() && entered_.front().first <= begin) {
            headings_.enter(*entered_.front().second);
            entered_.pop_front();
        }
        Chunk chunk{.text = source_.text.substr(begin, end - begin),
                    .heading_path = headings_.text()};
        if (config_.embed_context)
            chunk.embedded = headings_.context(title_, tokens_max_ / kContextShare, count_tokens_);
        chunk.embedded += chunk.text;
        // Separators between pieces count too: the context gives way, and then the end.
        if (count_tokens_(chunk.embedded) > tokens_max_) chunk.embedded = chunk.text;
        if (count_tokens_(chunk.embedded) > tokens_max_) chunk.embedded = fitting(chunk.text);
        chunk.char_start = characters_.at(begin);
        chunk.char_end = characters_.at(end);
        add_lines(chunk, source_, begin, end, first_line_);
        chunks_.push_back(std::move(chunk));
    }

    [[nodiscard]] std::string fitting(const std::string& text) const {
        const auto pieces = split_at_words(text, 0, text.size(), tokens_max_, count_tokens_);
        return pieces.empty()
                   ? text
                   : text.substr(pieces.front().begin, pieces.front().end - pieces.front().begin);
    }

    [[nodiscard]] std::size_t count(std::size_t begin, std::size_t end) const {
        return count_tokens_(std::string_view(source_.text).substr(begin, end - begin));
    }

    const ChunkerConfig config_;
    const std::size_t tokens_max_;
    const std::size_t room_;
    const std::size_t overlap_;
    const CountTokens& count_tokens_;
    const LaidOut source_;
    CharacterCounter characters_;
    const std::string title_;

    HeadingPath headings_;
    std::deque<std::pair<std::size_t, const Block*>> entered_;  // headings not yet passed
    std::deque<Piece> open_;
    std::size_t open_tokens_ = 0;
    bool fresh_ = false;  // whether the open passage holds more than the overlap
    std::size_t first_line_ = 0;
    std::vector<Chunk> chunks_;
};

}  // namespace

std::vector<Chunk> chunk_recursively(const ParsedDocument& document, std::string_view name,
                                     const ChunkerConfig& config, EmbedderLimit limit,
                                     const CountTokens& count_tokens) {
    return RecursiveChunker(document, name, config, limit, count_tokens).run();
}

}  // namespace heddle::ingest
