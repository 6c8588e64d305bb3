// The server over real sockets: what it serves, what it refuses (the smuggling and limits table),
// how long it waits, and what it does when a client goes or the server stops.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "async/stream.h"
#include "http/http_testing.h"
#include "http/router.h"

namespace heddle::http {
namespace {

using namespace std::chrono_literals;

async::Task<Response> hello(Request& request) {
    std::string who(request.query("name").value_or("world"));
    co_return Response::text(200, "text/plain", "hello " + who);
}

async::Task<Response> echo(Request& request) {
    auto body = co_await request.body().read_all();
    if (!body) co_return test_error(request, body.error());
    co_return Response::text(200, "text/plain", "[" + *body + "]");
}

async::Task<Response> fail_badly(Request& /*request*/) {
    throw std::runtime_error("secret detail");
    co_return Response::empty(200);
}

async::Task<Response> item(Request& request) {
    co_return Response::text(200, "text/plain", std::string(request.parameter("id")));
}

async::Task<Response> subtree(Request& request) {
    co_return Response::text(200, "text/plain", std::string(request.parameter("path")));
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>(test_error);
    router->add({Method::kGet, "/", hello});
    router->add({Method::kPost, "/echo", echo, 1000});
    router->add({Method::kGet, "/fail", fail_badly});
    router->add({Method::kGet, "/items/{id}", item});
    router->add({Method::kGet, "/items/special", hello});
    router->add({Method::kDelete, "/items/{id}", item});
    router->add({Method::kGet, "/tree/{path*}", subtree});
    return router;
}

Handler routed(std::shared_ptr<Router> router) {
    return [router = std::move(router)](Request& request) { return router->handle(request); };
}

ServerOptions quick_options() {
    ServerOptions options;
    options.tick = 10ms;
    return options;
}

class HttpServer : public testing::Test {
protected:
    TestServer server_{quick_options(), routed(make_router())};
};

TEST_F(HttpServer, ServesARequest) {
    const std::string response =
        exchange(server_.port(), "GET /?name=a%20b+c HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(response), 200);
    EXPECT_TRUE(response.ends_with("\r\n\r\nhello a b c")) << response;
    EXPECT_NE(response.find("\r\nContent-Length: 11\r\n"), std::string::npos);
    EXPECT_NE(response.find("\r\nDate: "), std::string::npos);
    EXPECT_NE(response.find("\r\nX-Request-Id: "), std::string::npos);
}

TEST_F(HttpServer, ServesPipelinedRequestsInOrder) {
    const std::string response = exchange(server_.port(),
                                          "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                          "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3"
                                          "\r\n\r\nabc"
                                          "GET /items/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(count_responses(response), 3);
    EXPECT_LT(response.find("\r\n\r\n1"), response.find("[abc]"));
    EXPECT_LT(response.find("[abc]"), response.find("\r\n\r\n2"));
}

TEST_F(HttpServer, ReadsARequestThatComesByteByByte) {
    RawClient client(server_.port());
    for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                                    "\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n")) {
        ASSERT_TRUE(client.send({&c, 1}));
    }
    EXPECT_TRUE(client.read_until("[abcde]").ends_with("[abcde]"));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("world").ends_with("hello world")) << "the connection is kept";
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
    const std::string response =
        exchange(server_.port(), "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(status_of(response), 200);
    EXPECT_NE(response.find("Content-Length: 11\r\n"), std::string::npos);
    EXPECT_TRUE(response.ends_with("\r\n\r\n"));
}

TEST_F(HttpServer, SendsContinueOnlyWhenTheBodyIsWanted) {
    RawClient wanted(server_.port());
    wanted.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(wanted.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wanted.send("ok");
    EXPECT_TRUE(wanted.read_until("[ok]").ends_with("[ok]"));

    RawClient too_large(server_.port());
    too_large.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(status_of(too_large.read_until("\r\n\r\n")), 413);
}

TEST_F(HttpServer, HidesWhatAHandlerThrew) {
    const std::string response = exchange(server_.port(), "GET /fail HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(response), 500);
    EXPECT_EQ(response.find("secret"), std::string::npos);
}

TEST_F(HttpServer, RoutesByMethodAndPath) {
    const auto status = [&](const std::string& line) {
        return status_of(exchange(server_.port(), line + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    };
    EXPECT_EQ(status("GET /items/7"), 200);
    EXPECT_EQ(status("GET /items/"), 404) << "a parameter is never empty";
    EXPECT_EQ(status("GET /items"), 404);
    EXPECT_EQ(status("GET /nothing"), 404);
    EXPECT_EQ(status("OPTIONS /items/7"), 204);
    EXPECT_EQ(status("GET http://x/items/7"), 200) << "the absolute form is a target too";
    const std::string refused =
        exchange(server_.port(), "PUT /items/7 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(refused), 405);
    EXPECT_NE(refused.find("\r\nAllow: GET, HEAD, DELETE, OPTIONS\r\n"), std::string::npos);
    EXPECT_TRUE(exchange(server_.port(), "GET /items/a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n")
                    .ends_with("\r\n\r\na/b"));
    EXPECT_TRUE(exchange(server_.port(), "GET /tree/a/b%20c/d HTTP/1.1\r\nHost: x\r\n\r\n")
                    .ends_with("\r\n\r\na/b c/d"));
    EXPECT_TRUE(exchange(server_.port(), "GET /items/special HTTP/1.1\r\nHost: x\r\n\r\n")
                    .ends_with("hello world"));
}

TEST(HttpServerHosts, AnswersOnlyToItsNames) {
    ServerOptions options = quick_options();
    options.hosts = {"localhost", "127.0.0.1", "[::1]"};
    TestServer server(options, routed(make_router()));
    const auto status = [&](const std::string& host) {
        return status_of(exchange(server.port(), "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"));
    };
    EXPECT_EQ(status("localhost:8000"), 200);
    EXPECT_EQ(status("LOCALHOST"), 200);
    EXPECT_EQ(status("[::1]:1"), 200);
    EXPECT_EQ(status("evil.test"), 421);
    EXPECT_EQ(status("localhost.evil.test"), 421);
    EXPECT_EQ(status(""), 421);
    EXPECT_EQ(status_of(exchange(server.port(),
                                 "GET http://evil.test/ HTTP/1.1\r\nHost: localhost\r\n\r\n")),
              421)
        << "the authority of the absolute form decides";
}

TEST(HttpServerDeadlines, EndsSilentSlowAndIdleClients) {
    ServerOptions options = quick_options();
    options.first_byte_timeout = 50ms;
    options.head_timeout = 50ms;
    options.idle_timeout = 50ms;
    options.body_grace = 50ms;
    TestServer server(options, routed(make_router()));
    RawClient silent(server.port());
    EXPECT_EQ(silent.read_all(), "");
    EXPECT_TRUE(silent.at_end());

    RawClient slow_head(server.port());
    slow_head.send("GET / HTT");
    EXPECT_EQ(status_of(slow_head.read_all()), 408);

    RawClient slow_body(server.port());
    slow_body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(status_of(slow_body.read_all()), 408);

    RawClient idle(server.port());
    idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(idle.read_all()), 200);
    EXPECT_TRUE(idle.at_end());
}

struct Flags {
    std::atomic<bool> started{false};
    std::atomic<bool> cancelled{false};
};

async::Task<Response> wait_long(std::shared_ptr<Flags> flags) {
    flags->started = true;
    try {
        co_await async::sleep_for(1h);
    } catch (const boost::system::system_error&) {
        flags->cancelled = true;
        throw;
    }
    co_return Response::empty(200);
}

bool becomes_true(const std::atomic<bool>& flag) {
    for (int i = 0; i < 300 && !flag; ++i) std::this_thread::sleep_for(10ms);
    return flag;
}

TEST(HttpServerCancellation, AClientThatLeavesCancelsTheHandler) {
    const auto flags = std::make_shared<Flags>();
    TestServer server(quick_options(), [flags](Request&) { return wait_long(flags); });
    RawClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(becomes_true(flags->started));
    client.close();
    EXPECT_TRUE(becomes_true(flags->cancelled));
}

TEST(HttpServerCancellation, StopCancelsWhatOutlastsItsGrace) {
    const auto flags = std::make_shared<Flags>();
    TestServer server(quick_options(), [flags](Request&) { return wait_long(flags); });
    RawClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(becomes_true(flags->started));
    server.server().stop(20ms);
    EXPECT_TRUE(flags->cancelled);
    EXPECT_EQ(server.server().connections(), 0u);
}

async::Task<Response> answer_late(std::shared_ptr<Flags> flags) {
    flags->started = true;
    co_await async::sleep_for(100ms);
    co_return Response::text(200, "text/plain", "late");
}

TEST(HttpServerCancellation, StopLetsARunningRequestFinish) {
    const auto flags = std::make_shared<Flags>();
    TestServer server(quick_options(), [flags](Request&) { return answer_late(flags); });
    RawClient client(server.port());
    RawClient idle(server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(becomes_true(flags->started));
    server.server().stop(5s);
    const std::string response = client.read_all();
    EXPECT_TRUE(response.ends_with("late"));
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
    EXPECT_EQ(idle.read_all(), "");
}

async::Task<> produce_numbers(BodyWriter& out, int count) {
    for (int i = 0; i < count; ++i) co_await out.write(std::to_string(i) + ",");
}

async::Task<Response> numbers(Request& /*request*/) {
    co_return Response::stream("text/plain",
                               [](BodyWriter& out) { return produce_numbers(out, 3); });
}

TEST(HttpServerStreams, ChunksAProducedBody) {
    TestServer server(quick_options(), numbers);
    const std::string response = exchange(server.port(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(response.ends_with("2\r\n0,\r\n2\r\n1,\r\n2\r\n2,\r\n0\r\n\r\n")) << response;
    const std::string old = exchange(server.port(), "GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(old.ends_with("\r\n\r\n0,1,2,")) << "HTTP/1.0 knows no chunks";
}

async::Task<> produce_silence(BodyWriter& out, std::shared_ptr<Flags> flags) {
    co_await out.write("data: 1\n\n");
    try {
        co_await async::sleep_for(1h);
    } catch (const boost::system::system_error&) {
        flags->cancelled = true;
        throw;
    }
}

async::Task<Response> quiet_events(std::shared_ptr<Flags> flags) {
    co_return Response::events([flags](BodyWriter& out) { return produce_silence(out, flags); });
}

TEST(HttpServerStreams, KeepsQuietEventsAliveAndSeesTheClientGo) {
    const auto flags = std::make_shared<Flags>();
    ServerOptions options = quick_options();
    options.keep_alive_interval = 30ms;
    TestServer server(options, [flags](Request&) { return quiet_events(flags); });
    RawClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string events = client.read_until(": ping\n\n");
    EXPECT_LT(events.find("data: 1\n\n"), events.find("8\r\n: ping\n\n\r\n"));
    client.close();
    EXPECT_TRUE(becomes_true(flags->cancelled));
}

async::Task<> produce_endlessly(BodyWriter& out, std::shared_ptr<std::atomic<std::size_t>> sent) {
    const std::string block(16384, 'x');
    for (;;) {
        co_await out.write(block);
        *sent += block.size();
    }
}

async::Task<Response> endless(std::shared_ptr<std::atomic<std::size_t>> sent) {
    co_return Response::stream("text/plain",
                               [sent](BodyWriter& out) { return produce_endlessly(out, sent); });
}

TEST(HttpServerStreams, ASlowReaderHoldsItsProducerAndIsDropped) {
    const auto sent = std::make_shared<std::atomic<std::size_t>>(0);
    ServerOptions options = quick_options();
    options.write_stall_timeout = 150ms;
    TestServer server(options, [sent](Request&) { return endless(sent); });
    RawClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 300 && (i < 2 || server.server().connections() > 0); ++i) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(server.server().connections(), 0u);
    EXPECT_LT(*sent, std::size_t{64} << 20) << "only what the kernel buffers was produced";
}

TEST(HttpServerLimits, RefusesConnectionsAboveTheTotal) {
    ServerOptions options = quick_options();
    options.connections_max = 2;
    TestServer server(options, routed(make_router()));
    RawClient first(server.port());
    RawClient second(server.port());
    for (int i = 0; i < 300 && server.server().connections() < 2; ++i) {
        std::this_thread::sleep_for(10ms);
    }
    RawClient third(server.port());
    EXPECT_EQ(third.read_all(), "");
    EXPECT_TRUE(third.at_end());
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(first.read_until("world")), 200);
}

}  // namespace
}  // namespace heddle::http
