// What a handler answers: a status, fields, and a body that is whole, a file, produced while it
// is sent, or a WebSocket session.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "async/stream.h"
#include "async/task.h"
#include "base/result.h"
#include "http/headers.h"

namespace heddle::http {

class Request;
class WebSocket;
struct Response;

// Where a produced body goes. The head leaves together with the first bytes.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;

    // Resumes when the kernel has taken the bytes: a slow reader slows its producer, and after 30 s
    // without progress the connection ends. Throws when the peer has gone or the task is cancelled.
    virtual async::Task<> write(std::string_view bytes) = 0;

    // Sends this response in place of the one that was begun, once the producer has returned.
    // False when bytes have left already (a keep-alive comment may have been first): too late.
    [[nodiscard]] virtual bool answer_instead(Response response) = 0;
};

// Called once. An exception breaks the connection off, so that the client sees that the body is not
// complete; before the first write it becomes a 500. Wrap a named coroutine that takes its state by
// value: [state](BodyWriter& out) { return send_answer(out, state); }
using BodyProducer = std::function<async::Task<>(BodyWriter&)>;
using WebSocketHandler = std::function<async::Task<>(WebSocket&)>;

// Content that is read in pieces as it is sent: a stored file.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    [[nodiscard]] virtual std::uint64_t bytes() const = 0;
    // Exactly `count` bytes from the offset; both lie inside.
    virtual async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t count) = 0;
};

struct FileBody {
    std::shared_ptr<ByteSource> source;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};
struct StreamBody {
    BodyProducer producer;
    bool is_events = false;  // kept alive by comments
};
struct WebSocketBody {
    WebSocketHandler handler;
    std::size_t message_bytes_max = std::size_t{1} << 20;
};

struct Response {
    using Content = std::variant<std::string, FileBody, StreamBody, WebSocketBody>;

    int status = 200;
    Headers headers;
    Content content;

    [[nodiscard]] static Response empty(int status);
    [[nodiscard]] static Response text(int status, std::string content_type, std::string body);
    [[nodiscard]] static Response json(int status, std::string body);
    [[nodiscard]] static Response stream(std::string content_type, BodyProducer producer);
    // text/event-stream; a comment goes out when nothing else has for 15 s.
    [[nodiscard]] static Response events(BodyProducer producer);
    // The whole file, the range that was asked for, 304 or 416. `etag` without quotes names the
    // content, not the file's place or time.
    [[nodiscard]] static Response file(const Request& request, std::shared_ptr<ByteSource> source,
                                       std::string content_type, std::string_view etag);
    // The same for content in memory, without ranges.
    [[nodiscard]] static Response cached(const Request& request, std::string content_type,
                                         std::string body, std::string_view etag);
    // Switches protocols, or says why not: 426 and 400 for a malformed handshake, 403 when a
    // browser's Origin is neither this host nor one of `origins` ("https://app.example").
    [[nodiscard]] static Response websocket(const Request& request, WebSocketHandler handler,
                                            const std::vector<std::string>& origins = {});
};

// Sends what a stream yields until it ends, each item encoded by `append(std::string&, T&&)`.
// Items that are ready together leave in one write of at most 256 KiB; nothing is taken from the
// stream while a write waits for the peer.
template <class T, class Append>
async::Task<> send_items(BodyWriter& out, std::shared_ptr<async::Stream<T>> stream, Append append) {
    constexpr std::size_t kWriteBytes = std::size_t{256} << 10;
    std::string bytes;
    for (;;) {
        std::vector<T> batch = co_await stream->next_batch();
        if (batch.empty()) co_return;
        for (T& item : batch) {
            append(bytes, std::move(item));
            if (bytes.size() < kWriteBytes) continue;
            co_await out.write(bytes);
            bytes.clear();
        }
        if (!bytes.empty()) co_await out.write(bytes);
        bytes.clear();
    }
}

}  // namespace heddle::http
