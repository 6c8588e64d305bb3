// A client's frames, whole and cut where the first byte says: the same messages, the same fault.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/websocket_decoder.h"

namespace {

std::string decode(std::string_view input, std::size_t cut) {
    heddle::http::WebSocketDecoder decoder(4096);
    std::string seen;
    for (const std::string_view piece : {input.substr(0, cut), input.substr(cut)}) {
        decoder.feed(piece);
        for (;;) {
            const auto item = decoder.next();
            if (!item) return seen + "!" + std::to_string(static_cast<int>(item.error()));
            if (!*item) break;
            if ((*item)->payload.size() > 4096) std::abort();
            seen += std::to_string(static_cast<int>((*item)->kind)) + (*item)->payload + ";";
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = input.empty() ? 0 : data[0] % (input.size() + 1);
    if (decode(input, 0) != decode(input, cut)) std::abort();
    return 0;
}
