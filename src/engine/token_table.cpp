#include "engine/token_table.h"

#include "text/tokenizer.h"

namespace heddle::engine {

TokenTable TokenTable::of(const text::Tokenizer& tokenizer) {
    TokenTable table;
    for (std::size_t token = 0; token < tokenizer.vocab_size(); ++token) {
        const auto id = static_cast<text::TokenId>(token);
        const bool special = tokenizer.is_special(id);
        table.add(special ? std::string(tokenizer.piece(id)) : tokenizer.token_bytes(id), special);
    }
    return table;
}

}  // namespace heddle::engine
