#include "http/body_decoder.h"

#include <algorithm>

namespace heddle::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 15;
constexpr std::size_t kExtensionBytesMax = 256;
constexpr std::size_t kTrailerBytesMax = std::size_t{8} << 10;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_text(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

BodyDecoder::BodyDecoder(Framing framing) : state_(State::kDone), left_(framing.length) {
    if (framing.kind == Framing::Kind::kLength && framing.length > 0) state_ = State::kLength;
    if (framing.kind == Framing::Kind::kChunked) state_ = State::kSize;
    if (framing.kind == Framing::Kind::kUntilClose) state_ = State::kUntilClose;
}

Accepted<BodyDecoder::Step> BodyDecoder::decode(std::string_view input) {
    Step step;
    while (!done() && step.consumed < input.size()) {
        const std::string_view rest = input.substr(step.consumed);
        if (state_ == State::kUntilClose) {
            return Step{input.size(), rest};
        }
        if (state_ == State::kLength || state_ == State::kData) {
            const auto count =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
            left_ -= count;
            if (left_ == 0) state_ = state_ == State::kData ? State::kDataCr : State::kDone;
            return Step{step.consumed + count, rest.substr(0, count)};
        }
        if (!take_framing_byte(rest.front())) {
            return tl::unexpected<Refusal>(Refusal(400, "malformed chunked body"));
        }
        ++step.consumed;
    }
    return step;
}

bool BodyDecoder::finish_at_eof() {
    if (state_ == State::kUntilClose) state_ = State::kDone;
    return done();
}

bool BodyDecoder::take_framing_byte(char c) {
    switch (state_) {
        case State::kSize:
        case State::kExtension:
            return take_size_byte(c);
        case State::kSizeLf:
            state_ = left_ > 0 ? State::kData : State::kTrailer;
            size_digits_ = extension_bytes_ = 0;
            return c == '\n';
        case State::kDataCr:
            state_ = State::kDataLf;
            return c == '\r';
        case State::kDataLf:
            state_ = State::kSize;
            return c == '\n';
        case State::kTrailer:
        case State::kTrailerLf:
            return take_trailer_byte(c);
        case State::kLength:
        case State::kUntilClose:
        case State::kData:
        case State::kDone:
            break;
    }
    return false;
}

bool BodyDecoder::take_size_byte(char c) {
    if (c == '\r') {
        state_ = State::kSizeLf;
        return size_digits_ > 0;
    }
    if (state_ == State::kSize) {
        const int digit = hex_value(c);
        if (digit >= 0) {
            if (size_digits_ == 0) left_ = 0;
            left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
            return ++size_digits_ <= kSizeDigitsMax;
        }
        state_ = State::kExtension;
        return c == ';' && size_digits_ > 0;
    }
    return is_text(c) && ++extension_bytes_ <= kExtensionBytesMax;
}

bool BodyDecoder::take_trailer_byte(char c) {
    if (state_ == State::kTrailerLf) {
        state_ = trailer_line_bytes_ == 0 ? State::kDone : State::kTrailer;
        trailer_line_bytes_ = 0;
        return c == '\n';
    }
    if (c == '\r') {
        state_ = State::kTrailerLf;
        return true;
    }
    ++trailer_line_bytes_;
    return is_text(c) && ++trailer_bytes_ <= kTrailerBytesMax;
}

}  // namespace heddle::http
