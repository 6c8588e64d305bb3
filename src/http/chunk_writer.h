// A produced body on its way out: the head with the first bytes, then chunks, then the end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/response.h"
#include "http/timed_stream.h"

namespace heddle::http {

class ChunkWriter final : public BodyWriter {
public:
    // Without `chunked` (HTTP/1.0) the end of the connection is the end of the body.
    ChunkWriter(TimedStream& stream, std::string head, bool chunked)
        : stream_(stream), head_(std::move(head)), chunked_(chunked) {}

    async::Task<> write(std::string_view bytes) override;
    bool answer_instead(Response response) override;
    async::Task<> finish();

    [[nodiscard]] bool has_begun() const { return head_.empty(); }
    [[nodiscard]] std::optional<Response> take_instead() { return std::move(instead_); }

private:
    TimedStream& stream_;
    std::string head_;  // empty when it has left
    const bool chunked_;
    std::optional<Response> instead_;
};

}  // namespace heddle::http
