// Content-Encoding undone while a body arrives, within limits that a bomb cannot pass.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::fetch {

struct DecodeLimits {
    std::size_t decoded_bytes_max = std::size_t{5} << 20;
    // Decoded bytes per encoded one, looked at beyond the first 64 KiB.
    std::size_t ratio_max = 100;
};

// One body, in order; any one thread.
class ContentDecoder {
public:
    // identity, gzip (x-gzip), deflate (with or without zlib's header) and br, one of them at most;
    // kUnsupportedType otherwise.
    [[nodiscard]] static Result<std::unique_ptr<ContentDecoder>> create(
        std::string_view content_encoding, DecodeLimits limits);
    virtual ~ContentDecoder() = default;

    // kTooLarge beyond a limit, kCorrupt for bytes that are not of the encoding. What was decoded
    // before an error stays in text().
    [[nodiscard]] Result<> feed(std::string_view encoded);
    // After the last piece; kCorrupt when the body ends in the middle.
    [[nodiscard]] virtual Result<> finish() { return {}; }
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::string take() { return std::move(text_); }

protected:
    explicit ContentDecoder(DecodeLimits limits) : limits_(limits) {}
    virtual Result<> decode(std::string_view encoded) = 0;
    // Keeps decoded bytes; kTooLarge beyond a limit.
    Result<> keep(std::string_view decoded);

private:
    DecodeLimits limits_;
    std::size_t encoded_bytes_ = 0;
    std::string text_;
};

}  // namespace heddle::fetch
