#include "text/wordpiece.h"

#include <algorithm>
#include <utility>

#include "text/utf8.h"

namespace heddle::text {

WordPiece::WordPiece(Vocabulary pieces, const WordPieceOptions& options)
    : initial_(std::move(pieces)),
      unknown_(options.unknown),
      characters_max_(options.characters_max) {
    continuing_.resize(initial_.size());
    for (std::size_t i = 0; i < initial_.size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        std::string_view piece = initial_.piece(id);
        if (!piece.starts_with(options.continuing_prefix)) continue;
        piece.remove_prefix(options.continuing_prefix.size());
        continuing_.set(id, piece);
    }
    continuing_.build();
}

void WordPiece::tokenize(std::string_view word, std::uint32_t offset,
                         std::vector<Token>& out) const {
    const auto size = static_cast<std::uint32_t>(word.size());
    const std::size_t first = out.size();
    const auto give_up = [&] {
        out.resize(first);
        out.push_back({unknown_, {offset, offset + size}});
    };
    if (count_code_points(word) > characters_max_) return give_up();
    for (std::size_t begin = 0; begin < word.size();) {
        const Vocabulary& pieces = begin == 0 ? initial_ : continuing_;
        std::size_t end = floor_utf8(word, std::min(word.size(), begin + pieces.longest()));
        std::optional<TokenId> found;
        for (; end > begin; end = floor_utf8(word, end - 1)) {
            found = pieces.find(word.substr(begin, end - begin));
            if (found) break;
        }
        if (!found) return give_up();
        out.push_back({*found,
                       {offset + static_cast<std::uint32_t>(begin),
                        offset + static_cast<std::uint32_t>(end)}});
        begin = end;
    }
}

}  // namespace heddle::text
