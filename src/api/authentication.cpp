#include "api/authentication.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <openssl/crypto.h>

namespace heddle::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAddressesMax = 10'000;

tl::unexpected<Error> unauthenticated(std::string message) {
    return fail(
        Error(ErrorCode::kUnauthenticated, std::move(message)).with_reason("invalid_api_key"));
}

// "Bearer KEY" → KEY; the scheme without case.
std::string_view bearer_key(std::string_view authorization) {
    const std::size_t space = authorization.find(' ');
    if (space == std::string_view::npos) return {};
    if (!http::equals_ignoring_case(authorization.substr(0, space), "bearer")) return {};
    authorization.remove_prefix(space + 1);
    while (authorization.starts_with(' ')) authorization.remove_prefix(1);
    return authorization;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

int FailureLimiter::count_failure(const boost::asio::ip::address& address) {
    const SteadyTime now = clock_.steady();
    const std::lock_guard lock(mutex_);
    if (windows_.size() >= kAddressesMax) {
        std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.begun > 60s; });
        // Still full: an attack from many addresses. Forgetting everybody is the lesser harm.
        if (windows_.size() >= kAddressesMax) windows_.clear();
    }
    Window& window = windows_[address];
    if (window.failures == 0 || now - window.begun > 60s) window = {now, 0};
    if (++window.failures <= limit_) return 0;
    const auto left = std::chrono::ceil<std::chrono::seconds>(window.begun + 60s - now);
    return static_cast<int>(std::max<std::int64_t>(1, left.count()));
}

bool is_same_origin(const http::Request& request) {
    const std::string_view site = request.header("sec-fetch-site");
    if (!site.empty() && site != "same-origin" && site != "none") return false;
    if (!request.headers().has("origin")) return true;
    const std::string_view origin = request.header("origin");
    const std::size_t scheme = origin.find("://");
    return scheme != std::string_view::npos &&
           http::equals_ignoring_case(origin.substr(scheme + 3), request.header("host"));
}

Result<service::Identity> Authenticator::identify_key(const http::Request& request,
                                                      std::string_view key) {
    if (!keys_ || !keys_->required()) return service::local_identity();
    if (auto identity = keys_->authenticate(key)) return std::move(*identity);
    if (const int wait = limiter_.count_failure(request.peer()); wait > 0) {
        Error error(ErrorCode::kRateLimited, "too many wrong API keys from this address");
        return fail(std::move(error).with_reason("rate_limited").with_retry_after(wait));
    }
    return unauthenticated("the API key is not valid");
}

Result<service::Identity> Authenticator::identify(const http::Request& request,
                                                  bool changes_state) {
    const std::string_view key = bearer_key(request.header("authorization"));
    // A page of another site cannot set this header, so a key in it needs no further proof.
    if (!key.empty() && keys_ && keys_->required()) return identify_key(request, key);
    const auto cross_site = [] {
        return fail(Error(ErrorCode::kPermissionDenied, "cross-site requests are refused")
                        .with_reason("cross_site"));
    };
    if (changes_state && !is_same_origin(request)) return cross_site();
    if (!keys_ || !keys_->required()) return service::local_identity();
    const auto token = http::cookie(request.headers(), kSessionCookie);
    if (!token) return unauthenticated("an API key is needed (Authorization: Bearer …)");
    auto session = keys_->session(*token);
    if (!session) return unauthenticated("the session has ended");
    const bool is_unsafe =
        request.method() != http::Method::kGet && request.method() != http::Method::kHead;
    if (is_unsafe && !equal_in_constant_time(request.header("x-csrf-token"), session->csrf)) {
        return fail(
            Error(ErrorCode::kPermissionDenied, "the X-CSRF-Token header is missing or wrong")
                .with_reason("csrf"));
    }
    return std::move(session->identity);
}

}  // namespace heddle::api
