// Asks a Hugging Face compatible hub: which files a repository has at a revision, and ranges of
// their bytes, wherever the hub redirects for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "http/client.h"
#include "upstream/hub_repository.h"

namespace heddle::upstream {

struct HubOptions {
    std::string base_url;
    std::string token;  // sent to the hub's own origin only; empty: none
    std::chrono::milliseconds head_timeout{30'000};
    int retries_max = 4;  // of a question; ranges are retried by their caller
    std::chrono::milliseconds retry_delay{500};  // doubled each time
};

struct HubListing {
    std::string revision;  // the commit, so that all files belong together
    std::vector<HubFile> files;
};

// A server's failure that may pass: worth another attempt.
[[nodiscard]] bool is_passing(const Error& error);

// The body of a file from a byte on.
struct HubRange {
    http::ClientResponse response;
    // Bytes of the body before the ones asked for: a server that knows no ranges sends all.
    std::uint64_t ahead = 0;
};

// Thread-safe; runs on the caller's I/O thread. Errors: kNotFound (no such model, revision or
// file), kUnauthenticated, kPermissionDenied (a token is needed, or the model's terms are to be
// accepted first), kUpstream, kUnavailable.
class HubClient {
public:
    static Result<std::shared_ptr<HubClient>> create(HubOptions options,
                                                     std::shared_ptr<http::Client> client);

    // `revision`: a branch, a tag or a commit.
    async::Task<Result<HubListing>> list(std::string repository, std::string revision);
    // Bytes [begin, end) of a file at a commit; a body shorter or longer than that is the
    // server's lie, which the caller counts out.
    async::Task<Result<HubRange>> open(std::string repository, std::string revision, HubFile file,
                                       std::uint64_t begin, std::uint64_t end);

private:
    HubClient(HubOptions options, http::Url base, std::shared_ptr<http::Client> client)
        : options_(std::move(options)), base_(std::move(base)), client_(std::move(client)) {}

    [[nodiscard]] http::Url url(std::string_view target) const;
    async::Task<Result<http::ClientResponse>> get(http::Url url, std::string range);
    async::Task<Result<http::ClientResponse>> get_patiently(http::Url url);

    const HubOptions options_;
    const http::Url base_;
    const std::shared_ptr<http::Client> client_;
};

}  // namespace heddle::upstream
