#include "upstream/hub_client.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "http/status.h"

namespace heddle::upstream {
namespace {

constexpr int kRedirectsMax = 5;
constexpr int kPagesMax = 100;
constexpr std::size_t kPageBytesMax = std::size_t{16} << 20;

Error hub_error(std::string_view reason, std::string message) {
    return Error(ErrorCode::kUpstream, std::move(message)).with_reason(std::string(reason));
}

Error error_of(int status) {
    switch (status) {
        case 401:
            return {ErrorCode::kUnauthenticated,
                    "the hub knows no such model, or wants a token to show it"};
        case 403:
            return {ErrorCode::kPermissionDenied,
                    "the hub refuses: accept the model's terms there, or use another token"};
        case 404:
            return {ErrorCode::kNotFound, "the hub has no such model, revision or file"};
        default:
            break;
    }
    const bool passing = status == 408 || status == 429 || status >= 500;
    return hub_error(passing ? "hub_unavailable" : "hub_refused",
                     fmt::format("the hub answered with status {}", status));
}

// Where a Location leads; a path stays on its origin.
Result<http::Url> follow(const http::Url& from, std::string_view location) {
    if (location.starts_with('/') && !location.starts_with("//")) {
        http::Url to = from;
        const bool sound = location.find_first_of("# \\") == std::string_view::npos &&
                           http::is_field_value(location);
        if (!sound) return fail(hub_error("hub_malformed", "the hub redirects to no address"));
        to.target = location;
        return to;
    }
    auto to = http::parse_url(location.substr(0, location.find('#')));
    if (!to) return fail(hub_error("hub_malformed", "the hub redirects to no address"));
    if (from.origin.tls && !to->origin.tls)
        return fail(hub_error("hub_insecure", "the hub redirects from HTTPS to plain HTTP"));
    return *to;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

// "bytes 0-99/1000" and nothing but the range that was asked for.
bool is_range(std::string_view field, std::uint64_t begin, std::uint64_t end, std::uint64_t total) {
    return take(field, "bytes ") && take_number(field) == begin && take(field, "-") &&
           take_number(field) == end - 1 && take(field, "/") && take_number(field) == total &&
           field.empty();
}

// The address of the next page in a Link field (RFC 8288): <…>; rel="next".
std::string next_page(std::string_view link) {
    const std::size_t open = link.find('<');
    const std::size_t close = link.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
        link.find("rel=\"next\"", close) == std::string_view::npos)
        return {};
    return std::string(link.substr(open + 1, close - open - 1));
}

}  // namespace

bool is_passing(const Error& error) {
    const std::string& reason = error.reason();
    return error.code() == ErrorCode::kUnavailable ||
           error.code() == ErrorCode::kDeadlineExceeded || reason == "hub_unavailable" ||
           reason == "hub_short" || reason == "connect_failed" || reason == "resolve_failed" ||
           reason == "closed" || reason == "protocol_error";
}

Result<std::shared_ptr<HubClient>> HubClient::create(HubOptions options,
                                                     std::shared_ptr<http::Client> client) {
    auto base = http::parse_url(options.base_url);
    if (!base) return fail(std::move(base).error().with_context("the hub's address"));
    while (base->target.ends_with('/')) base->target.pop_back();
    return std::shared_ptr<HubClient>(
        new HubClient(std::move(options), std::move(*base), std::move(client)));
}

http::Url HubClient::url(std::string_view target) const {
    http::Url to = base_;
    to.target += target;
    return to;
}

// Follows redirects by hand: the token must not leave the hub's origin.
async::Task<Result<http::ClientResponse>> HubClient::get(http::Url url, std::string range) {
    for (int hop = 0; hop <= kRedirectsMax; ++hop) {
        http::ClientRequest request;
        request.url = url;
        request.deadline = async::Deadline::after(options_.head_timeout);
        if (!range.empty()) request.headers.set("Range", range);
        if (!options_.token.empty() && url.origin == base_.origin)
            request.headers.set("Authorization", "Bearer " + options_.token);
        HEDDLE_CO_TRY(http::ClientResponse response, co_await client_->send(std::move(request)));
        if (!http::is_redirect(response.status())) {
            response.set_deadline(async::Deadline::never());
            if (response.status() == 200 || response.status() == 206) co_return response;
            co_return fail(error_of(response.status()));
        }
        HEDDLE_CO_TRY(url, follow(url, response.headers().get("Location")));
    }
    co_return fail(hub_error("hub_malformed", "the hub redirects without end"));
}

async::Task<Result<http::ClientResponse>> HubClient::get_patiently(http::Url url) {
    for (int attempt = 0;; ++attempt) {
        auto response = co_await get(url, {});
        if (response || attempt >= options_.retries_max || !is_passing(response.error()))
            co_return response;
        co_await async::sleep_for(options_.retry_delay * (1 << attempt));
    }
}

async::Task<Result<HubListing>> HubClient::list(std::string repository, std::string revision) {
    if (!is_safe_path(revision))
        co_return fail(ErrorCode::kInvalidArgument, "this is not a name of a revision");
    for (std::size_t at = 0; (at = revision.find('/', at)) != std::string::npos;)
        revision.replace(at, 1, "%2F");
    const std::string models = "/api/models/" + repository;
    HubListing listing;
    HEDDLE_CO_TRY(http::ClientResponse head,
                  co_await get_patiently(url(models + "/revision/" + revision)));
    HEDDLE_CO_TRY(const std::string info, co_await head.read_all(kPageBytesMax));
    HEDDLE_CO_TRY(listing.revision, decode_revision(info));
    http::Url page = url(models + "/tree/" + listing.revision + "?recursive=true");
    for (int pages = 0; pages < kPagesMax; ++pages) {
        HEDDLE_CO_TRY(http::ClientResponse response, co_await get_patiently(page));
        const std::string next = next_page(response.headers().get("Link"));
        HEDDLE_CO_TRY(const std::string body, co_await response.read_all(kPageBytesMax));
        HEDDLE_CO_TRY_VOID(decode_tree(body, listing.files));
        if (next.empty()) co_return listing;
        HEDDLE_CO_TRY(page, follow(page, next));
    }
    co_return fail(hub_error("hub_malformed", "the hub's list of files does not end"));
}

async::Task<Result<HubRange>> HubClient::open(std::string repository, std::string revision,
                                              HubFile file, std::uint64_t begin,
                                              std::uint64_t end) {
    http::Url where = url(fmt::format("/{}/resolve/{}/{}", repository, revision, file.path));
    HEDDLE_CO_TRY(http::ClientResponse response,
                  co_await get(std::move(where), fmt::format("bytes={}-{}", begin, end - 1)));
    const bool partial = response.status() == 206;
    if (partial && !is_range(response.headers().get("Content-Range"), begin, end, file.bytes))
        co_return fail(hub_error("hub_lied", "the hub sent other bytes than were asked for"));
    const std::uint64_t expected = partial ? end - begin : file.bytes;
    std::string_view length = response.headers().get("Content-Length");
    if (!length.empty() && (take_number(length) != expected || !length.empty()))
        co_return fail(hub_error("hub_lied", "the hub announces another size than it listed"));
    co_return HubRange{std::move(response), partial ? 0 : begin};
}

}  // namespace heddle::upstream
