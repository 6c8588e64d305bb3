// URLs in prose: spans are in order, inside the text, and never split a character.
#include "markup/find_urls.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::markup;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const FindUrlOptions options{(data[0] & 1) != 0 ? UrlConvention::kPosts : UrlConvention::kProse,
                                 (data[0] & 2) != 0, (data[0] & 4) != 0};
    std::size_t last = 0;
    for (const FoundUrl& url : find_urls(text, options)) {
        HEDDLE_CHECK(url.begin >= last && url.begin < url.end && url.end <= text.size(),
                     "spans follow each other inside the text");
        last = url.end;
    }
    HEDDLE_CHECK(urls_of_prompt(text, 3).size() <= 3, "no more than asked for");
    return 0;
}
