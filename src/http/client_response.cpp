#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>

#include "http/client_impl.h"

namespace heddle::http {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

async::Task<Result<IoOutcome>> read_into(Transport& transport, std::vector<char>& chunk) {
    co_return co_await transport.read_some(chunk);
}

}  // namespace

ClientResponse::ClientResponse(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;

int ClientResponse::status() const {
    return impl_->head.status;
}

const Headers& ClientResponse::headers() const {
    return impl_->head.headers;
}

Tcp::endpoint ClientResponse::peer() const {
    return impl_->peer;
}

void ClientResponse::set_deadline(async::Deadline deadline) {
    impl_->deadline = deadline;
}

async::Task<Result<bool>> ClientResponse::Impl::read_more() {
    if (!transport) co_return client_error("closed", "the response was broken off");
    std::vector<char> chunk(kReadBytes);
    const auto limit = deadline.sooner(client->options.stall_timeout);
    const auto outcome = co_await async::with_deadline(limit, read_into(*transport, chunk));
    if (!outcome) {
        transport.reset();
        co_return fail(outcome.error());
    }
    received.append(chunk.data(), outcome->bytes);
    if (outcome->bytes > 0) co_return true;
    const bool orderly = !outcome->ec || outcome->ec == boost::asio::error::eof;
    transport.reset();
    if (orderly && decoder.finish_at_eof()) co_return false;
    co_return client_error("closed", "the server broke the response off");
}

void ClientResponse::Impl::finish() {
    if (!transport) return;
    if (may_reuse && received.empty()) {
        client->pool.give(key, std::move(transport));
    }
    transport.reset();
}

async::Task<Result<std::string>> ClientResponse::next() {
    Impl& impl = *impl_;
    std::string piece;
    for (;;) {
        std::size_t used = 0;
        while (used < impl.received.size() && !impl.decoder.done()) {
            const auto step = impl.decoder.decode(std::string_view(impl.received).substr(used));
            if (!step) {
                impl.transport.reset();
                co_return client_error("protocol_error", std::string(step.error().message()));
            }
            piece += step->data;
            used += step->consumed;
        }
        impl.received.erase(0, used);
        if (impl.decoder.done()) impl.finish();
        if (!piece.empty() || impl.decoder.done()) co_return piece;
        HEDDLE_CO_TRY(const bool more, co_await impl.read_more());
        if (!more) co_return piece;
    }
}

async::Task<Result<std::string>> ClientResponse::read_all(std::size_t bytes_max) {
    std::string all;
    for (;;) {
        HEDDLE_CO_TRY(const std::string piece, co_await next());
        if (piece.empty()) co_return all;
        if (piece.size() > bytes_max - all.size()) {
            impl_->transport.reset();
            Error error(ErrorCode::kTooLarge, "the response is larger than allowed");
            co_return fail(std::move(error).with_reason("response_too_large"));
        }
        all += piece;
    }
}

async::Task<Result<std::optional<SseEvent>>> SseReader::next() {
    for (;;) {
        HEDDLE_CO_TRY(auto event, parser_.next());
        if (event) co_return event;
        HEDDLE_CO_TRY(const std::string piece, co_await response_.next());
        if (piece.empty()) co_return std::optional<SseEvent>();
        parser_.feed(piece);
    }
}

}  // namespace heddle::http
