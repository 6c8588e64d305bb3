// One client connection: reads requests, runs the handler, sends the response, until either side
// ends it. Lives on one I/O thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "async/task_group.h"
#include "async/waiter.h"
#include "http/body_decoder.h"
#include "http/chunk_writer.h"
#include "http/message_head.h"
#include "http/request.h"
#include "http/response.h"
#include "http/server.h"
#include "http/timed_stream.h"
#include "http/websocket.h"

namespace heddle::http {

// Bytes that have arrived and are not used yet.
class InputBuffer {
public:
    [[nodiscard]] std::string_view view() const {
        return std::string_view(bytes_.data() + begin_, end_ - begin_);
    }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    // Room for `count` more bytes; moves what view() showed.
    [[nodiscard]] std::span<char> prepare(std::size_t count);
    void commit(std::size_t count) { end_ += count; }
    void consume(std::size_t count) { begin_ += count; }
    // Gives memory back when nothing is kept.
    void shrink();

private:
    std::vector<char> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

// What the connections of one I/O thread share.
struct ConnectionEnvironment {
    const ServerOptions& options;
    const Handler& handler;
    const ErrorResponder& on_error;
    async::TaskGroup& tasks;
    bool draining = false;
};

class Connection final : public std::enable_shared_from_this<Connection>, private BodySource {
public:
    Connection(ConnectionEnvironment& environment, std::unique_ptr<Transport> transport,
               boost::asio::ip::address peer);

    // Ends when the connection does. Nothing but cancellation comes out.
    async::Task<> run();

    // Deadlines, keep-alive comments and pings; several times a second.
    void tick(SteadyTime now);
    // No request after the one that is being served.
    void drain();

private:
    // False: the connection is over.
    async::Task<bool> serve_next();
    async::Task<std::optional<RequestHead>> read_head();
    // The request, or nothing when it was refused.
    async::Task<std::optional<Request>> accept(RequestHead head);
    [[nodiscard]] bool is_host_allowed(std::string_view host) const;
    // Says why and gives the client time to read it.
    async::Task<> refuse(Refusal refusal);
    async::Task<> linger();

    // Runs the handler and sends its response; never throws. False: close.
    async::Task<bool> serve(Request& request);
    async::Task<Response> respond(Request& request);
    // Ends when the peer has gone.
    async::Task<> watch_peer();

    async::Task<> send(Request& request, Response response);
    [[nodiscard]] std::string head_of(const Request& request, const Response& response) const;
    async::Task<> send_file(std::string head, FileBody body);
    async::Task<> send_stream(Request& request, std::string head, StreamBody body);
    async::Task<> run_websocket(std::string head, WebSocketBody body);
    async::Task<> keep_alive();

    // BodySource
    async::Task<Result<std::string_view>> next_bytes() override;
    [[nodiscard]] std::optional<std::uint64_t> length() const override;
    async::Task<Result<>> read_body_bytes();
    // Uses up a body that nobody read, as far as it is here already. False: more is to come.
    bool skip_received_body();

    async::Task<IoOutcome> read_more(std::size_t count, SteadyTime deadline);

    ConnectionEnvironment& environment_;
    const boost::asio::ip::address peer_;
    TimedStream stream_;
    InputBuffer input_;
    bool is_fresh_ = true;  // no request was served yet
    bool waits_for_request_ = false;

    // The request being served.
    BodyDecoder decoder_;
    Framing framing_;
    int minor_version_ = 1;
    bool reusable_ = false;
    bool expects_continue_ = false;
    bool is_head_ = false;
    bool may_upgrade_ = false;    // a WebSocket reads by itself: nobody else may
    std::size_t handed_out_ = 0;  // bytes at the front of input_ that the handler may look at
    bool body_ended_ = true;      // the handler was told the end
    std::uint64_t body_bytes_ = 0;
    std::chrono::nanoseconds body_wait_{0};
    bool is_serving_ = false;
    bool is_watched_ = false;
    async::Waiter watch_wake_;
    ChunkWriter* events_ = nullptr;
    WebSocket* websocket_ = nullptr;
};

}  // namespace heddle::http
