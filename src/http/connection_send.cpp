// The sending half of a connection: heads, whole bodies, files, produced bodies, WebSocket.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/system/system_error.hpp>

#include "base/log.h"
#include "http/chunk_writer.h"
#include "http/connection.h"
#include "http/status.h"

namespace heddle::http {
namespace {

// The Date field's value, made once a second.
std::string_view current_date() {
    thread_local std::time_t made_at = 0;
    thread_local std::array<char, 32> text;
    thread_local std::size_t length = 0;
    const std::time_t now = ::time(nullptr);
    if (now != made_at) {
        std::tm parts = {};
        ::gmtime_r(&now, &parts);
        length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        made_at = now;
    }
    return {text.data(), length};
}

bool forbids_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace

async::Task<> Connection::send(Request& request, Response response) {
    const bool closes = response.status == 400 || response.status == 408;
    const bool upgrades = std::holds_alternative<WebSocketBody>(response.content);
    if (closes || upgrades || environment_.draining || !skip_received_body()) reusable_ = false;
    if (minor_version_ == 0 && std::holds_alternative<StreamBody>(response.content)) {
        reusable_ = false;  // only the end of the connection can end such a body
    }
    std::string head = head_of(request, response);
    if (is_head_ || forbids_body(response.status)) {
        if (auto* session = std::get_if<WebSocketBody>(&response.content)) {
            co_await run_websocket(std::move(head), std::move(*session));
            co_return;
        }
        const Pieces pieces = {head, {}, {}};
        co_await stream_.write(pieces);
    } else if (auto* whole = std::get_if<std::string>(&response.content)) {
        const Pieces pieces = {head, *whole, {}};
        co_await stream_.write(pieces);
    } else if (auto* file = std::get_if<FileBody>(&response.content)) {
        co_await send_file(std::move(head), std::move(*file));
    } else if (auto* stream = std::get_if<StreamBody>(&response.content)) {
        co_await send_stream(request, std::move(head), std::move(*stream));
    }
}

std::string Connection::head_of(const Request& request, const Response& response) const {
    std::string head;
    head.reserve(512);
    auto out = std::back_inserter(head);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                   reason_phrase(response.status), current_date());
    for (const Headers::Field& field : response.headers.fields()) {
        fmt::format_to(out, "{}: {}\r\n", field.name, field.value);
    }
    fmt::format_to(out, "X-Request-Id: {}\r\n", request.id());
    if (const auto* whole = std::get_if<std::string>(&response.content)) {
        if (!forbids_body(response.status)) {
            fmt::format_to(out, "Content-Length: {}\r\n", whole->size());
        }
    } else if (const auto* file = std::get_if<FileBody>(&response.content)) {
        fmt::format_to(out, "Content-Length: {}\r\n", file->bytes);
    } else if (std::holds_alternative<StreamBody>(response.content) && minor_version_ > 0) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    if (response.status != 101) {
        if (!reusable_) head += "Connection: close\r\n";
        if (reusable_ && minor_version_ == 0) head += "Connection: keep-alive\r\n";
    }
    head += "\r\n";
    return head;
}

async::Task<> Connection::send_file(std::string head, FileBody body) {
    constexpr std::uint64_t kReadBytes = std::uint64_t{256} << 10;
    while (body.bytes > 0) {
        const auto count = static_cast<std::size_t>(std::min(body.bytes, kReadBytes));
        const Result<std::string> bytes = co_await body.source->read(body.offset, count);
        if (!bytes || bytes->size() != count) {
            throw std::runtime_error("a file became unreadable while it was sent");
        }
        const Pieces pieces = {head, *bytes, {}};
        co_await stream_.write(pieces);
        head.clear();
        body.offset += count;
        body.bytes -= count;
    }
    if (head.empty()) co_return;
    const Pieces pieces = {head, {}, {}};
    co_await stream_.write(pieces);
}

async::Task<> Connection::send_stream(Request& request, std::string head, StreamBody body) {
    ChunkWriter writer(stream_, std::move(head), minor_version_ > 0);
    struct Events {
        ChunkWriter*& slot;
        ~Events() { slot = nullptr; }
    };
    std::string failure;
    {
        const Events events{events_};
        if (body.is_events) events_ = &writer;
        try {
            co_await body.producer(writer);
        } catch (const boost::system::system_error&) {
            throw;
        } catch (const std::exception& error) {
            if (writer.has_begun()) throw;
            failure = error.what();
        }
    }
    if (!failure.empty()) {
        log::error("http", "a response could not be begun",
                   {{"request", request.id()}, {"error", failure}});
        const Error error(ErrorCode::kInternal, "Internal Server Error");
        co_await send(request, environment_.on_error(request, error));
        co_return;
    }
    if (auto instead = writer.take_instead()) {
        co_await send(request, std::move(*instead));
        co_return;
    }
    co_await writer.finish();
}

async::Task<> Connection::run_websocket(std::string head, WebSocketBody body) {
    const Pieces pieces = {head, {}, {}};
    co_await stream_.write(pieces);
    WebSocket websocket(stream_, input_.view(), body.message_bytes_max);
    input_.consume(input_.view().size());
    struct Session {
        WebSocket*& slot;
        ~Session() { slot = nullptr; }
    };
    const Session session{websocket_};
    websocket_ = &websocket;
    co_await body.handler(websocket);
    co_await websocket.close(1000);
}

}  // namespace heddle::http
