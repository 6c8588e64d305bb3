// Compressed bodies in pieces of any size: never past the limits, whatever comes.
#include "fetch/content_decoder.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "fetch/content_type.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::fetch;
    if (size < 2) return 0;
    constexpr const char* kNames[] = {"gzip", "deflate", "br", "identity"};
    constexpr DecodeLimits kLimits{1 << 20, 100};
    auto decoder = ContentDecoder::create(kNames[data[0] % 4], kLimits);
    const std::size_t piece = std::size_t{data[1]} + 1;
    std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    while (!bytes.empty()) {
        if (!(*decoder)->feed(bytes.substr(0, piece))) break;
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    (void)(*decoder)->finish();
    HEDDLE_CHECK((*decoder)->text().size() <= kLimits.decoded_bytes_max, "within the limit");
    (void)kind_of_content("", (*decoder)->text());
    return 0;
}
