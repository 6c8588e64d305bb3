// The web pages whose addresses stand in a prompt, as texts that an answer can cite.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "fetch/fetcher.h"
#include "ingest/parser.h"
#include "service/source.h"

namespace heddle::service {

struct PageOptions {
    std::size_t urls_max = 3;
    std::chrono::milliseconds timeout{12'000};
};

// In the order of the prompt; a page that could not be read has its error in its source. A PDF
// goes through the sandboxed parser. What is passed by reference outlives the task.
async::Task<std::vector<GroundedText>> fetch_pages(fetch::Fetcher& fetcher, ingest::Parser& parser,
                                                   PageOptions options, std::string prompt);

// What is asked about the pages: the prompt without their addresses, white space runs as one.
[[nodiscard]] std::string without_addresses(std::string_view prompt);

}  // namespace heddle::service
