#include "text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

bool is_word_before(std::string_view text, std::size_t position) {
    if (position == 0) return false;
    return class_of(decode_utf8_before(text, position).code_point).has(CharacterFlag::kWord);
}

bool is_word_at(std::string_view text, std::size_t position) {
    if (position == text.size()) return false;
    return class_of(decode_utf8(text, position).code_point).has(CharacterFlag::kWord);
}

std::size_t skip_spaces_back(std::string_view text, std::size_t position, std::size_t floor) {
    while (position > floor) {
        const Utf8Character c = decode_utf8_before(text, position);
        if (!class_of(c.code_point).is_space()) break;
        position -= c.length;
    }
    return position;
}

std::size_t skip_spaces(std::string_view text, std::size_t position) {
    while (position < text.size()) {
        const Utf8Character c = decode_utf8(text, position);
        if (!class_of(c.code_point).is_space()) break;
        position += c.length;
    }
    return position;
}

ByteRange range_of(std::size_t begin, std::size_t end) {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer)
    : tokens_(std::move(tokens)) {
    std::vector<std::pair<std::string, TokenId>> written;
    std::vector<std::pair<std::string, TokenId>> normalized;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const AddedToken& token = tokens_[i];
        by_id_.insert_or_assign(token.id, i);
        WorkingText form(token.content, 0, false);
        if (token.normalized && normalizer != nullptr) normalizer->apply(form);
        forms_.push_back(form.text());
        (token.normalized ? normalized : written).emplace_back(form.text(), token.id);
    }
    written_ = ByteTrie(std::move(written));
    normalized_ = ByteTrie(std::move(normalized));
}

bool AddedTokens::is_special(TokenId id) const {
    const AddedToken* token = find(id);
    return token != nullptr && token->special;
}

const AddedToken* AddedTokens::find(TokenId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

std::string_view AddedTokens::decoded(TokenId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? std::string_view() : forms_[found->second];
}

std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, const ByteTrie& trie,
                                                  bool special) const {
    std::vector<Part> parts;
    std::size_t done = 0;  // everything before it stands in a part
    for (std::size_t i = 0; i < text.size() && !trie.empty();) {
        const ByteTrie::Match match =
            trie.may_start_with(text[i]) ? trie.longest(text, i) : ByteTrie::Match{};
        if (match.length == 0) {
            ++i;
            continue;
        }
        std::size_t begin = i;
        std::size_t end = i + match.length;
        i = end;
        const AddedToken& token = *find(match.id);
        if (token.special && !special) continue;
        if (token.single_word && (is_word_before(text, begin) || is_word_at(text, end))) continue;
        // Spaces that the token before this one took along may reach past its beginning.
        if (token.left_strip) begin = skip_spaces_back(text, begin, std::min(done, begin));
        begin = std::max(begin, done);
        if (token.right_strip) end = skip_spaces(text, end);
        end = std::max(end, begin);
        if (done < begin) parts.push_back({-1, range_of(done, begin)});
        parts.push_back({match.id, range_of(begin, end)});
        done = end;
    }
    if (done < text.size()) parts.push_back({-1, range_of(done, text.size())});
    return parts;
}

}  // namespace heddle::text
