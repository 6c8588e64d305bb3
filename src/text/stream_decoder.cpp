#include "text/stream_decoder.h"

#include <utility>

#include "text/utf8.h"

namespace heddle::text {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool continues_text)
    : tokenizer_(std::move(tokenizer)), continues_text_(continues_text), first_(!continues_text) {}

std::string StreamDecoder::push(TokenId id) {
    if (tokenizer_->is_special(id) || tokenizer_->piece(id).empty()) return {};
    pending_ += first_ ? tokenizer_->first_token_bytes(id) : tokenizer_->token_bytes(id);
    first_ = false;
    const std::size_t complete = complete_utf8_prefix(pending_);
    std::string text = to_valid_utf8(std::string_view(pending_).substr(0, complete));
    pending_.erase(0, complete);
    return text;
}

std::string StreamDecoder::finish() {
    first_ = !continues_text_;
    return to_valid_utf8(std::exchange(pending_, {}));
}

}  // namespace heddle::text
