// The client against our server and against scripted ones: pooling, deadlines, caps, broken
// answers, TLS, and the injected resolver and connector.
#include "http/client.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "http/http_testing.h"
#include "http/scripted_server_testing.h"

namespace heddle::http {
namespace {

using namespace std::chrono_literals;

ClientRequest get(std::uint16_t port, const std::string& target = "/") {
    ClientRequest request;
    request.url = *parse_url("http://127.0.0.1:" + std::to_string(port) + target);
    request.deadline = async::Deadline::after(5s);
    return request;
}

struct Answer {
    int status = 0;
    std::string body;
    Tcp::endpoint peer;
};

async::Task<Result<Answer>> fetch(Client* client, ClientRequest request,
                                  std::size_t bytes_max = 1 << 20) {
    HEDDLE_CO_TRY(ClientResponse response, co_await client->send(std::move(request)));
    HEDDLE_CO_TRY(std::string body, co_await response.read_all(bytes_max));
    co_return Answer{response.status(), std::move(body), response.peer()};
}

class HttpClient : public testing::Test {
protected:
    Result<Answer> run(ClientRequest request, std::size_t bytes_max = 1 << 20) {
        return runtime_.run(fetch(&client_, std::move(request), bytes_max));
    }
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    Client client_{ClientOptions{}};
};

async::Task<Response> echo(Request& request) {
    auto body = co_await request.body().read_all();
    std::string text(to_string(request.method()));
    text += " " + std::string(request.header("host")) + " [" + *body + "]";
    co_return Response::text(200, "text/plain", std::move(text));
}

TEST_F(HttpClient, SendsAndReadsAndReusesTheConnection) {
    TestServer server({}, echo);
    ClientRequest post = get(server.port());
    post.method = Method::kPost;
    post.body = "body";
    for (int i = 0; i < 5; ++i) {
        const auto answer = run(post);
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_EQ(answer->body, "POST 127.0.0.1:" + std::to_string(server.port()) + " [body]");
    }
    EXPECT_EQ(server.server().connections(), 1u);
}

async::Task<Result<std::string>> next_part(std::shared_ptr<int> left) {
    if (*left == 0) co_return std::string();
    --*left;
    co_return std::string(1000, 'x');
}

TEST_F(HttpClient, SendsABodyThatIsNotInMemory) {
    TestServer server({}, echo);
    ClientRequest put = get(server.port());
    put.method = Method::kPut;
    put.body_bytes = 30'000;
    const auto left = std::make_shared<int>(30);
    put.body_source = [left] { return next_part(left); };
    const auto answer = run(put);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(std::count(answer->body.begin(), answer->body.end(), 'x'), 30'000);
}

TEST_F(HttpClient, NamesWhatWentWrong) {
    const auto reason = [&](std::string script) {
        ScriptedServer server({std::move(script)});
        const auto answer = run(get(server.port()));
        return answer ? std::string("none") : answer.error().reason();
    };
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "none");
    EXPECT_EQ(reason("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
              "none");
    EXPECT_EQ(reason("HTTP/1.0 200 OK\r\n\r\nuntil the end"), "none");
    EXPECT_EQ(reason(""), "closed");
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), "closed");
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok"), "closed");
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
              "protocol_error");
    EXPECT_EQ(reason("SSH-2.0-OpenSSH\r\n\r\n"), "protocol_error");
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
              "protocol_error");
    EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"),
              "protocol_error");
    EXPECT_EQ(run(get(1)).error().reason(), "connect_failed");
}

TEST_F(HttpClient, CapsTheBody) {
    ScriptedServer server(
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x')});
    const auto answer = run(get(server.port()), 99);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::kTooLarge);
}

TEST_F(HttpClient, GivesUpAtTheDeadlineAndAfterAStall) {
    ScriptedServer silent({ScriptedServer::kStayOpen});
    ClientRequest request = get(silent.port());
    request.deadline = async::Deadline::after(50ms);
    const auto late = run(request);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), ErrorCode::kDeadlineExceeded);

    ScriptedServer stalling(
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx" + ScriptedServer::kStayOpen});
    ClientOptions impatient;
    impatient.stall_timeout = 50ms;
    Client client(impatient);
    const auto stalled = runtime_.run(fetch(&client, get(stalling.port())));
    ASSERT_FALSE(stalled);
    EXPECT_EQ(stalled.error().code(), ErrorCode::kDeadlineExceeded);
}

TEST_F(HttpClient, RepeatsOnAFreshConnectionOnlyWhatIsSafe) {
    const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    // The first connection answers once and closes at the second request, unread.
    ScriptedServer server(
        {ok + ScriptedServer::kCloseAtNext, ok + ScriptedServer::kCloseAtNext, ok});
    ASSERT_TRUE(run(get(server.port())));
    ASSERT_TRUE(run(get(server.port()))) << "a GET is sent again";
    ClientRequest post = get(server.port());
    post.method = Method::kPost;
    const auto answer = run(post);
    ASSERT_FALSE(answer) << "a POST may have been acted on";
    EXPECT_EQ(answer.error().reason(), "closed");
}

class FixedResolver final : public Resolver {
public:
    async::Task<Result<std::vector<boost::asio::ip::address>>> resolve(std::string host) override {
        asked += host + ";";
        std::vector<boost::asio::ip::address> addresses{boost::asio::ip::make_address("127.0.0.1")};
        co_return addresses;
    }
    std::string asked;
};

TEST_F(HttpClient, ResolvesThroughTheInjectedResolverOrNotAtAll) {
    TestServer server({}, echo);
    const auto resolver = std::make_shared<FixedResolver>();
    Client client(ClientOptions{}, resolver);
    ClientRequest request = get(server.port());
    request.url.origin.host = "example.test";
    const std::string host = "example.test:" + std::to_string(server.port());
    EXPECT_EQ(runtime_.run(fetch(&client, request))->body, "GET " + host + " []");
    EXPECT_EQ(resolver->asked, "example.test;");
    request.connect_to = boost::asio::ip::make_address("127.0.0.1");
    const auto pinned = runtime_.run(fetch(&client, request));
    EXPECT_EQ(pinned->body, "GET " + host + " []");
    EXPECT_EQ(pinned->peer.address(), *request.connect_to);
    EXPECT_EQ(resolver->asked, "example.test;") << "a pinned address is not resolved";
}

async::Task<std::vector<std::string>> collect_events(Client* client, ClientRequest request) {
    std::vector<std::string> events;
    auto response = co_await client->send(std::move(request));
    if (!response) co_return events;
    SseReader reader(std::move(*response));
    for (;;) {
        auto event = co_await reader.next();
        if (!event || !*event) co_return events;
        events.push_back((*event)->name + "=" + (*event)->data);
    }
}

TEST_F(HttpClient, ReadsEventsInAnyPieces) {
    const std::string stream = "event: a\ndata: 1\n\n: note\ndata: 2\ndata: 3\r\n\r\ndata: lost";
    ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + stream});
    const auto events = runtime_.run(collect_events(&client_, get(server.port())));
    EXPECT_EQ(events, (std::vector<std::string>{"a=1", "=2\n3"}));
}

}  // namespace
}  // namespace heddle::http
