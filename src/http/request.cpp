#include "http/request.h"

namespace heddle::http {
namespace {

tl::unexpected<Error> too_large(std::uint64_t bytes_max) {
    Error error(ErrorCode::kTooLarge,
                "the body is larger than " + std::to_string(bytes_max) + " bytes");
    return fail(std::move(error).with_reason("request_too_large"));
}

}  // namespace

std::optional<std::uint64_t> Body::announced_length() const {
    return source_ == nullptr ? std::optional<std::uint64_t>(0) : source_->length();
}

async::Task<Result<std::string_view>> Body::next() {
    if (source_ == nullptr) co_return std::string_view();
    if (const auto length = source_->length(); length && *length > limit_) {
        co_return too_large(limit_);
    }
    HEDDLE_CO_TRY(const std::string_view bytes, co_await source_->next_bytes());
    received_ += bytes.size();
    if (received_ > limit_) co_return too_large(limit_);
    co_return bytes;
}

async::Task<Result<std::string>> Body::read_all() {
    std::string all;
    if (const auto length = announced_length(); length && *length <= limit_) {
        // A client's word alone takes no more than this; the rest grows as it arrives.
        constexpr std::uint64_t kReserveMax = std::uint64_t{1} << 20;
        all.reserve(static_cast<std::size_t>(std::min(*length, kReserveMax)));
    }
    for (;;) {
        HEDDLE_CO_TRY(const std::string_view bytes, co_await next());
        if (bytes.empty()) co_return all;
        all += bytes;
    }
}

std::string_view Request::parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters_) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace heddle::http
