// An upstream's event stream, whole and cut where the first byte says: the same events. What was
// read survives being written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/sse.h"

namespace {

std::vector<std::string> parse(std::string_view input, std::size_t cut) {
    heddle::http::SseParser parser(1 << 16);
    std::vector<std::string> events;
    for (const std::string_view piece : {input.substr(0, cut), input.substr(cut)}) {
        parser.feed(piece);
        for (;;) {
            const auto event = parser.next();
            if (!event || !*event) break;
            events.push_back((*event)->name + "\x1f" + (*event)->data);
        }
    }
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = input.empty() ? 0 : data[0] % (input.size() + 1);
    const auto events = parse(input, 0);
    if (events != parse(input, cut)) std::abort();
    std::string again;
    std::size_t written = 0;
    for (const std::string& event : events) {
        if (event.find('\0') != std::string::npos) continue;  // dropped when written
        const std::size_t split = event.find('\x1f');
        heddle::http::append_event(again, event.substr(0, split), event.substr(split + 1));
        ++written;
    }
    if (parse(again, 0).size() != written) std::abort();
    return 0;
}
