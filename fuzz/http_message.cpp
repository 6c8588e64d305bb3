// A request as a server reads it: head, framing, body, target. Bytes in two pieces must give what
// they give in one; the first byte says where they are cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/body_decoder.h"
#include "http/conditional.h"
#include "http/field_parameters.h"
#include "http/message_head.h"
#include "http/target.h"

namespace {

using heddle::http::BodyDecoder;
using heddle::http::Framing;

// The decoded body and what became of it: 0 refused, 1 not complete, 2 done.
std::pair<int, std::string> decode(Framing framing, std::string_view input, std::size_t cut) {
    BodyDecoder decoder(framing);
    std::string body;
    for (std::string_view piece : {input.substr(0, cut), input.substr(cut)}) {
        while (!piece.empty() && !decoder.done()) {
            const auto step = decoder.decode(piece);
            if (!step) return {0, {}};
            if (step->consumed == 0) std::abort();
            body += step->data;
            piece.remove_prefix(step->consumed);
        }
    }
    return {decoder.done() ? 2 : 1, std::move(body)};
}

void check_response(std::string_view head) {
    const heddle::http::HeadLimits limits;
    (void)heddle::http::parse_response_head(head, heddle::http::Method::kGet, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = input.empty() ? 0 : data[0] % (input.size() + 1);
    const heddle::http::HeadLimits limits;

    heddle::http::HeadScanner whole(limits);
    heddle::http::HeadScanner pieces(limits);
    const auto end = whole.scan(input);
    const auto early = pieces.scan(input.substr(0, cut));
    if (early && !*early) {
        const auto late = pieces.scan(input);
        if (late.has_value() != end.has_value() || (late && *late != *end)) std::abort();
    }
    if (!end || !*end) return 0;
    check_response(input.substr(0, **end));
    const auto head = heddle::http::parse_request_head(input.substr(0, **end), limits);
    if (!head) return 0;
    (void)heddle::http::parse_target(head->target);
    for (const auto& field : head->headers.fields()) {
        (void)heddle::http::parse_field_value(field.value);
        (void)heddle::http::parse_range(field.value, 1000);
    }
    const std::string_view body = input.substr(**end);
    const std::size_t body_cut = std::min(cut, body.size());
    if (decode(head->framing, body, 0) != decode(head->framing, body, body_cut)) std::abort();
    return 0;
}
