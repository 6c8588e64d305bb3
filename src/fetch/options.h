// The settings of this room, with their defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "fetch/address_rules.h"
#include "fetch/content_decoder.h"
#include "markup/main_text.h"

namespace heddle::fetch {

struct FetchOptions {
    // Hosts that may be asked although they are not public (--fetch-allow).
    AllowList allow;
    // The name that robots.txt files call us by, and what servers are told.
    std::string product = "Heddle";
    std::string user_agent = "Heddle/0.1";
    bool obey_robots = true;
    // Certificate authorities in PEM instead of the system's.
    std::string ca_file;

    std::chrono::milliseconds resolve_timeout{3'000};
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds total_timeout{10'000};
    std::size_t wire_bytes_max = std::size_t{2} << 20;
    std::size_t pdf_bytes_max = std::size_t{20} << 20;
    DecodeLimits decode;
    std::size_t redirects_max = 5;

    std::size_t urls_max = 3;           // in one call
    std::size_t urls_per_host_max = 2;  // in one call
    std::size_t per_host_max = 2;       // at once
    std::size_t concurrent_max = 32;    // at once, all calls together

    // A cached page is served without asking for this long, or as long as its server says, within
    // these bounds; then it is asked whether it has changed.
    std::chrono::seconds fresh_default{300};
    std::chrono::seconds fresh_max{3600};
    std::size_t cached_pages_max = 2'000;

    std::vector<markup::SiteRule> site_rules;
    // With less text than this a page is looked at in a browser, where there is one.
    std::size_t thin_text_bytes = 600;
};

}  // namespace heddle::fetch
