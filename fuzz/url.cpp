// URLs: what parses must be a fixed point, and what the rules let through must be public.
#include "markup/url.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "fetch/address_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto newline = text.find('\n');
    const auto base = markup::Url::parse("https://example.org/a/b?c#d");
    const auto url = markup::Url::parse(text.substr(0, newline), &*base);
    if (!url) return 0;
    const auto again = markup::Url::parse(url->href());
    // An opaque path may end in spaces that the parser trims (whatwg/url#651).
    if (url->is_http()) HEDDLE_CHECK(again && *again == *url, "a URL parses to itself");
    if (url->is_http() && again) {
        HEDDLE_CHECK(again->host() == url->host() && again->port() == url->port(),
                     "both lead to the same place");
    }
    if (fetch::check_url(*url, false) && fetch::is_literal_address(*url)) {
        HEDDLE_CHECK(fetch::is_public(fetch::literal_address(*url)), "only public addresses pass");
    }
    return 0;
}
