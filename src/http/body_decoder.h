// The body of a message out of the bytes that follow its head. Pure; one object for one body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message_head.h"

namespace heddle::http {

class BodyDecoder {
public:
    BodyDecoder() : BodyDecoder(Framing{}) {}
    explicit BodyDecoder(Framing framing);

    struct Step {
        std::size_t consumed = 0;  // bytes of the input that are spent
        std::string_view data;     // body bytes, a part of the input
    };
    // Goes on until it has body bytes, needs more input or is done. Refuses malformed chunks,
    // extensions above 256 bytes a chunk and trailers above 8 KiB; trailers are dropped.
    [[nodiscard]] Accepted<Step> decode(std::string_view input);

    // The connection has ended; false when the body is then incomplete.
    [[nodiscard]] bool finish_at_eof();
    [[nodiscard]] bool done() const { return state_ == State::kDone; }

private:
    enum class State {
        kLength,
        kUntilClose,
        kSize,       // hex digits of a chunk's size
        kExtension,  // after the size, up to CR
        kSizeLf,     // the LF after the size line
        kData,
        kDataCr,
        kDataLf,
        kTrailer,  // a trailer line, up to CR
        kTrailerLf,
        kDone,
    };
    // One byte of the chunked framing; false when it must not stand there.
    bool take_framing_byte(char c);
    bool take_size_byte(char c);
    bool take_trailer_byte(char c);

    State state_;
    std::uint64_t left_ = 0;  // bytes of the body, or of the chunk, to come
    std::size_t size_digits_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::size_t trailer_line_bytes_ = 0;
};

}  // namespace heddle::http
