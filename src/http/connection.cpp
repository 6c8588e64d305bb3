#include "http/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "base/log.h"

namespace heddle::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kHeadReadBytes = std::size_t{4} << 10;
constexpr std::size_t kBodyReadBytes = std::size_t{64} << 10;
constexpr std::size_t kKeptBytes = std::size_t{16} << 10;

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

// A client may name its request if the name can stand in a log line as it is.
std::string request_id(const Headers& headers) {
    const std::string_view sent = headers.get("x-request-id");
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    const bool usable =
        !sent.empty() && sent.size() <= 64 && std::all_of(sent.begin(), sent.end(), is_plain);
    return usable ? std::string(sent) : new_id();
}

// "[::1]:8000" → "[::1]", "localhost:8000" → "localhost".
std::string_view without_port(std::string_view authority) {
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon =
        authority.find(':', bracket == std::string_view::npos ? 0 : bracket + 1);
    return authority.substr(0, colon);
}

}  // namespace

std::span<char> InputBuffer::prepare(std::size_t count) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (bytes_.size() - end_ < count) {
        std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                  bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
        end_ -= begin_;
        begin_ = 0;
        if (bytes_.size() < end_ + count) bytes_.resize(end_ + count);
    }
    return std::span(bytes_).subspan(end_, count);
}

void InputBuffer::shrink() {
    if (!empty() || bytes_.size() <= kKeptBytes) return;
    bytes_ = {};
    begin_ = end_ = 0;
}

Connection::Connection(ConnectionEnvironment& environment, std::unique_ptr<Transport> transport,
                       boost::asio::ip::address peer)
    : environment_(environment),
      peer_(std::move(peer)),
      stream_(std::move(transport), environment.options.write_stall_timeout) {}

async::Task<> Connection::run() {
    const auto self = shared_from_this();
    try {
        while (co_await serve_next()) input_.shrink();
    } catch (const boost::system::system_error& error) {
        // The peer has gone or was too slow, or we are shutting down.
        log::debug("http", "a connection ended early", {{"reason", error.code().message()}});
    }
    stream_.transport().close();
}

async::Task<bool> Connection::serve_next() {
    using namespace asio::experimental::awaitable_operators;
    auto head = co_await read_head();
    if (!head) co_return false;
    auto request = co_await accept(std::move(*head));
    if (!request) co_return false;
    is_fresh_ = false;
    is_serving_ = true;
    is_watched_ = false;
    const auto outcome = co_await (serve(*request) || watch_peer());
    is_serving_ = false;
    if (outcome.index() != 0 || !std::get<0>(outcome)) co_return false;
    if (reusable_) co_return true;
    if (!decoder_.done()) co_await linger();
    co_return false;
}

async::Task<std::optional<RequestHead>> Connection::read_head() {
    const ServerOptions& options = environment_.options;
    HeadScanner scanner(options.head);
    bool has_begun = !input_.empty();
    const auto wait = is_fresh_ ? options.first_byte_timeout : options.idle_timeout;
    SteadyTime deadline = now() + (has_begun ? options.head_timeout : wait);
    for (;;) {
        const auto end = scanner.scan(input_.view());
        if (!end) {
            co_await refuse(end.error());
            co_return std::nullopt;
        }
        if (*end) {
            auto head = parse_request_head(input_.view().substr(0, **end), options.head);
            input_.consume(**end);
            if (head) co_return std::move(*head);
            co_await refuse(head.error());
            co_return std::nullopt;
        }
        if (environment_.draining && !has_begun) co_return std::nullopt;
        waits_for_request_ = !has_begun;
        const IoOutcome outcome = co_await read_more(kHeadReadBytes, deadline);
        waits_for_request_ = false;
        if (outcome.ec) {
            const bool too_slow = outcome.ec == asio::error::timed_out && has_begun;
            if (too_slow) co_await refuse({408, "the request head took too long"});
            co_return std::nullopt;
        }
        if (!std::exchange(has_begun, true)) deadline = now() + options.head_timeout;
    }
}

async::Task<std::optional<Request>> Connection::accept(RequestHead head) {
    framing_ = head.framing;
    decoder_ = BodyDecoder(head.framing);
    minor_version_ = head.minor_version;
    expects_continue_ = head.expects_continue && !decoder_.done();
    is_head_ = head.method == Method::kHead;
    may_upgrade_ = head.headers.has("upgrade");
    reusable_ = head.keep_alive && !environment_.draining;
    body_ended_ = decoder_.done();
    handed_out_ = 0;
    body_bytes_ = 0;
    body_wait_ = {};

    auto target = parse_target(head.target);
    if (!target) {
        co_await refuse({400, "malformed request target"});
        co_return std::nullopt;
    }
    const std::string_view host =
        target->authority.empty() ? head.headers.get("host") : target->authority;
    if (!is_host_allowed(without_port(host))) {
        co_await refuse({421, "this server does not answer to that Host"});
        co_return std::nullopt;
    }
    std::string id = request_id(head.headers);
    Request::Parts parts{head.method, std::move(*target), std::move(head.headers), peer_,
                         std::move(id)};
    co_return Request(std::move(parts), body_ended_ ? nullptr : this);
}

bool Connection::is_host_allowed(std::string_view host) const {
    const auto& hosts = environment_.options.hosts;
    return hosts.empty() || std::any_of(hosts.begin(), hosts.end(), [&](const std::string& name) {
               return equals_ignoring_case(name, host);
           });
}

async::Task<> Connection::refuse(Refusal refusal) {
    Request::Parts parts;
    parts.id = new_id();
    Request request(std::move(parts), nullptr);
    const nlohmann::json body = {{"detail", refusal.message()}};
    is_head_ = false;
    reusable_ = false;
    co_await send(request, Response::json(refusal.status(), body.dump()));
    co_await linger();
}

// Closing a socket that still has input resets it, and the reset can overtake our last response:
// so stop writing, and read on for a moment.
async::Task<> Connection::linger() {
    constexpr auto kPatience = std::chrono::seconds(2);
    co_await stream_.transport().shutdown();
    const SteadyTime deadline = now() + kPatience;
    while (now() < deadline) {
        input_.consume(input_.view().size());
        const IoOutcome outcome = co_await read_more(kBodyReadBytes, deadline);
        if (outcome.ec) co_return;
    }
}

async::Task<bool> Connection::serve(Request& request) {
    try {
        Response response = co_await respond(request);
        co_await send(request, std::move(response));
        co_return true;
    } catch (const boost::system::system_error& error) {
        log::debug("http", "a response was not finished",
                   {{"request", request.id()}, {"reason", error.code().message()}});
    } catch (const std::exception& error) {
        log::error("http", "a response could not be finished",
                   {{"request", request.id()}, {"error", error.what()}});
    }
    co_return false;
}

async::Task<Response> Connection::respond(Request& request) {
    std::string what;
    try {
        co_return co_await environment_.handler(request);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        what = error.code().message();
    } catch (const std::exception& error) {
        what = error.what();
    }
    log::error("http", "a handler failed",
               {{"request", request.id()}, {"path", request.target().path}, {"error", what}});
    reusable_ = false;
    co_return environment_.on_error(request, Error(ErrorCode::kInternal, "Internal Server Error"));
}

// Reads what follows the request, so that the end of the connection is seen. Begins at the first
// tick that finds the request still running: quick handlers pay nothing for it.
async::Task<> Connection::watch_peer() {
    while (!is_watched_) co_await watch_wake_.wait();
    while (input_.view().size() < environment_.options.head.bytes) {
        const IoOutcome outcome = co_await read_more(kHeadReadBytes, SteadyTime::max());
        if (outcome.ec) co_return;
    }
    for (;;) co_await watch_wake_.wait();
}

void Connection::tick(SteadyTime time) {
    stream_.tick(time);
    if (is_serving_ && body_ended_ && !is_watched_ && !may_upgrade_) {
        is_watched_ = true;
        watch_wake_.notify();
    }
    const auto interval = environment_.options.keep_alive_interval;
    const bool is_quiet = time - stream_.last_write() >= interval && !stream_.is_writing();
    if ((events_ != nullptr || websocket_ != nullptr) && is_quiet)
        environment_.tasks.spawn(keep_alive());
    // A live peer answers pings; three without a sign of life mean that it is not there.
    if (websocket_ != nullptr && time - stream_.last_read() >= 4 * interval) {
        stream_.transport().cancel();
    }
}

void Connection::drain() {
    reusable_ = false;
    if (waits_for_request_) stream_.transport().cancel();
}

async::Task<> Connection::keep_alive() {
    const auto self = shared_from_this();
    try {
        if (websocket_ != nullptr) {
            co_await websocket_->ping();
        } else if (events_ != nullptr) {
            co_await events_->write(": ping\n\n");
        }
    } catch (const boost::system::system_error&) {
        stream_.transport().cancel();  // the response's own task finds out what has happened
    }
}

async::Task<IoOutcome> Connection::read_more(std::size_t count, SteadyTime deadline) {
    IoOutcome outcome = co_await stream_.read_some(input_.prepare(count), deadline);
    if (!outcome.ec && outcome.bytes == 0) outcome.ec = asio::error::eof;
    input_.commit(outcome.bytes);
    co_return outcome;
}

std::optional<std::uint64_t> Connection::length() const {
    if (framing_.kind == Framing::Kind::kChunked) return std::nullopt;
    return framing_.length;
}

async::Task<Result<std::string_view>> Connection::next_bytes() {
    input_.consume(std::exchange(handed_out_, 0));
    for (;;) {
        const auto step = decoder_.decode(input_.view());
        if (!step) {
            reusable_ = false;
            co_return fail(ErrorCode::kInvalidArgument, std::string(step.error().message()));
        }
        if (!step->data.empty()) {
            handed_out_ = step->consumed;
            body_bytes_ += step->data.size();
            co_return step->data;
        }
        input_.consume(step->consumed);
        if (decoder_.done()) {
            body_ended_ = true;
            co_return std::string_view();
        }
        HEDDLE_CO_TRY_VOID(co_await read_body_bytes());
    }
}

async::Task<Result<>> Connection::read_body_bytes() {
    if (std::exchange(expects_continue_, false)) {
        const Pieces pieces = {"HTTP/1.1 100 Continue\r\n\r\n", {}, {}};
        co_await stream_.write(pieces);
    }
    // Only time spent waiting for the client counts against it.
    const ServerOptions& options = environment_.options;
    const auto earned = std::chrono::seconds(body_bytes_ / options.body_bytes_per_second_min);
    const SteadyTime begun = now();
    const SteadyTime deadline = begun + options.body_grace + earned - body_wait_;
    const IoOutcome outcome = co_await read_more(kBodyReadBytes, deadline);
    body_wait_ += now() - begun;
    if (!outcome.ec) co_return Result<>();
    reusable_ = false;
    if (outcome.ec == asio::error::timed_out) {
        co_return fail(ErrorCode::kTimeout, "the request body came too slowly");
    }
    co_return fail(ErrorCode::kInvalidArgument, "the request body was cut off");
}

bool Connection::skip_received_body() {
    input_.consume(std::exchange(handed_out_, 0));
    while (!decoder_.done()) {
        const auto step = decoder_.decode(input_.view());
        if (!step || (step->consumed == 0 && step->data.empty())) return false;
        input_.consume(step->consumed);
    }
    return true;
}

}  // namespace heddle::http
