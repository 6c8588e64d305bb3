#include "fetch/guarded_client.h"

#include <algorithm>
#include <utility>

#include "fetch/address_lookup.h"
#include "fetch/robots.h"

namespace heddle::fetch {

namespace {

constexpr std::size_t kHeadBytesMax = 16 << 10;

tl::unexpected<Error> failure(ErrorCode code, std::string message, std::string reason) {
    return fail(Error(code, std::move(message)).with_reason(std::move(reason)));
}

// Resolving is done before the client is asked; it must never do so itself.
class NoResolver final : public http::Resolver {
public:
    async::Task<Result<std::vector<Address>>> resolve(std::string) override {
        co_return failure(ErrorCode::kInternal, "not to be resolved here", "resolve_failed");
    }
};

http::ClientOptions client_options(const FetchOptions& options) {
    http::ClientOptions out;
    out.ca_file = options.ca_file;
    out.connect_timeout = options.connect_timeout;
    out.stall_timeout = options.total_timeout;
    out.head_bytes_max = kHeadBytesMax;
    out.user_agent = options.user_agent;
    return out;
}

http::Url request_url(const markup::Url& url) {
    http::Url out;
    out.origin.tls = url.scheme() == "https";
    out.origin.host = url.host();
    if (url.host_kind() == markup::HostKind::kIpv6) {
        out.origin.host = url.host().substr(1, url.host().size() - 2);
    }
    out.origin.port = url.port();
    out.target = url.target();
    return out;
}

}  // namespace

GuardedClient::GuardedClient(const FetchOptions& options, std::shared_ptr<http::Resolver> resolver,
                             std::shared_ptr<http::Connector> connector)
    : options_(options),
      own_(own_addresses()),
      resolver_(std::move(resolver)),
      client_(client_options(options), std::make_shared<NoResolver>(), std::move(connector)) {}

async::Task<Result<http::ClientResponse>> GuardedClient::send(http::ClientRequest request,
                                                              std::vector<Address> addresses) {
    for (std::size_t i = 0;; ++i) {
        request.connect_to = addresses[i];
        http::ClientRequest attempt = request;
        auto response = co_await client_.send(std::move(attempt));
        if (response) co_return std::move(*response);
        const bool next = response.error().reason() == "connect_failed" && i + 1 < addresses.size();
        if (!next) co_return fail(std::move(response).error());
    }
}

async::Task<Result<std::string>> GuardedClient::read_body(http::ClientResponse& response,
                                                          ContentKind stated, bool is_robots) {
    const bool pdf = stated == ContentKind::kPdf;
    const std::size_t wire_max = pdf ? options_.pdf_bytes_max : options_.wire_bytes_max;
    DecodeLimits limits = options_.decode;
    if (pdf) limits.decoded_bytes_max = options_.pdf_bytes_max;
    if (is_robots) limits.decoded_bytes_max = kRobotsBytesMax;
    auto created = ContentDecoder::create(response.headers().get("Content-Encoding"), limits);
    if (!created) {
        co_return failure(ErrorCode::kUnsupportedType, created.error().message(),
                          "unsupported_type");
    }
    const std::unique_ptr<ContentDecoder> decoder = std::move(*created);
    std::size_t wire = 0;
    for (;;) {
        auto piece = co_await response.next();
        if (!piece) co_return fail(std::move(piece).error());
        if (piece->empty()) break;
        wire += piece->size();
        auto fed = decoder->feed(*piece);
        const bool too_large =
            wire > wire_max || (!fed && fed.error().code() == ErrorCode::kTooLarge);
        if (too_large && is_robots) co_return decoder->take();
        if (too_large)
            co_return failure(ErrorCode::kTooLarge, "the page is too large", "too_large");
        if (!fed) co_return fail(std::move(fed).error());
    }
    HEDDLE_CO_TRY_VOID(decoder->finish());
    co_return decoder->take();
}

async::Task<Result<GuardedResponse>> GuardedClient::get(GuardedRequest request,
                                                        async::Deadline deadline) {
    HEDDLE_CO_TRY_VOID(check_url(request.url, request.allowed_by_operator));
    HEDDLE_CO_TRY(auto addresses,
                  co_await look_up(resolver_, own_, request.url, request.allowed_by_operator,
                                   options_.resolve_timeout));
    http::ClientRequest out;
    out.url = request_url(request.url);
    out.deadline = deadline;
    out.no_reuse = true;
    out.headers.add("Accept", request.is_robots
                                  ? "text/plain"
                                  : "text/html,application/xhtml+xml,application/pdf;q=0.9,"
                                    "text/plain;q=0.8");
    out.headers.add("Accept-Encoding", "gzip, deflate, br");
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty() && http::is_field_value(value)) out.headers.add(name, value);
    };
    add("If-None-Match", request.if_none_match);
    add("If-Modified-Since", request.if_modified_since);
    HEDDLE_CO_TRY(auto response, co_await send(std::move(out), std::move(addresses)));
    GuardedResponse answer;
    answer.status = response.status();
    answer.headers = response.headers();
    if (answer.status != 200) co_return answer;
    const std::string type(answer.headers.get("Content-Type"));
    const ContentKind stated = request.is_robots ? ContentKind::kText : kind_of_type(type);
    if (stated == ContentKind::kOther) {
        co_return failure(ErrorCode::kUnsupportedType, "only web pages, text and PDF are read",
                          "unsupported_type");
    }
    HEDDLE_CO_TRY(answer.body, co_await read_body(response, stated, request.is_robots));
    answer.kind = request.is_robots ? ContentKind::kText : kind_of_content(type, answer.body);
    if (answer.kind == ContentKind::kOther) {
        co_return failure(ErrorCode::kUnsupportedType, "the page is not what its type says",
                          "unsupported_type");
    }
    co_return answer;
}

}  // namespace heddle::fetch
