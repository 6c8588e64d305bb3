// What a rendered page may ask for: the same as a user may name, and nothing else.
#include "fetch/guard_proxy.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "fetch/fake_internet_testing.h"

namespace heddle::fetch {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GuardProxyTest : public testing::Test {
protected:
    GuardProxyTest() {
        net_.name("site.example", {{"93.184.216.34"}});
        net_.name("inside.example", {{"10.0.0.5"}});
        net_.name("both.example", {{"93.184.216.34", "127.0.0.1"}});
        net_.name("rebound.example", {{"93.184.216.34"}, {"127.0.0.1"}});
        net_.serve([](const std::string&) { return FakeInternet::page("a page"); });
    }

    // What one connection to the proxy gets back.
    std::string ask(std::string request) {
        return runtime_.run(ask_all(this, {std::move(request)})).at(0);
    }
    static async::Task<std::vector<std::string>> ask_all(GuardProxyTest* self,
                                                         std::vector<std::string> requests) {
        const auto executor = co_await asio::this_coro::executor;
        GuardProxy proxy(executor, self->options_, self->net_.resolver(), self->net_.connector());
        const std::uint16_t port = proxy.start().value();
        std::vector<std::string> replies;
        for (const std::string& request : requests) {
            asio::ip::tcp::socket socket(executor);
            co_await socket.async_connect({asio::ip::address_v4::loopback(), port},
                                          asio::use_awaitable);
            co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
            std::string reply;
            co_await asio::async_read(socket, asio::dynamic_buffer(reply),
                                      asio::as_tuple(asio::use_awaitable));
            replies.push_back(std::move(reply));
        }
        co_await proxy.stop();
        self->refused_ = proxy.refused();
        co_return replies;
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    FakeInternet net_;
    GuardProxyOptions options_;
    std::size_t refused_ = 0;
};

TEST_F(GuardProxyTest, PassesOnAPageAndOpensATunnel) {
    const std::string page =
        ask("GET http://site.example/a?b HTTP/1.1\r\nHost: other.example\r\nProxy-Connection: "
            "keep-alive\r\nAccept: text/html\r\n\r\n");
    EXPECT_THAT(page, HasSubstr("a page"));
    ASSERT_EQ(net_.requests().size(), 1U);
    const std::string sent = net_.requests().front();
    EXPECT_TRUE(sent.starts_with("GET /a?b HTTP/1.1\r\nHost: site.example\r\n")) << sent;
    EXPECT_THAT(sent, HasSubstr("Accept: text/html\r\n"));
    EXPECT_EQ(sent.find("other.example"), std::string::npos) << "one host, that of the URL";
    EXPECT_EQ(sent.find("Proxy-"), std::string::npos);

    const std::string tunnel =
        ask("CONNECT site.example:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(tunnel.starts_with("HTTP/1.1 200 ")) << tunnel;
    EXPECT_THAT(tunnel, HasSubstr("a page"));
    EXPECT_EQ(refused_, 0U);
}

TEST_F(GuardProxyTest, RefusesWhatIsInside) {
    for (const char* target :
         {"GET http://inside.example/ HTTP/1.1", "GET http://127.0.0.1/ HTTP/1.1",
          "GET http://2130706433/ HTTP/1.1", "GET http://[::1]/ HTTP/1.1",
          "GET http://169.254.169.254/latest HTTP/1.1", "GET http://both.example/ HTTP/1.1",
          "GET http://site.example:22/ HTTP/1.1", "GET http://user@site.example/ HTTP/1.1",
          "GET https://site.example/ HTTP/1.1", "GET file:///etc/passwd HTTP/1.1",
          "GET /relative HTTP/1.1", "POST http://site.example/ HTTP/1.1",
          "CONNECT inside.example:443 HTTP/1.1", "CONNECT site.example:22 HTTP/1.1",
          "CONNECT 10.0.0.5:443 HTTP/1.1", "CONNECT localhost:443 HTTP/1.1",
          "CONNECT site.example:443/x HTTP/1.1", "CONNECT site.example@inside.example:443 HTTP/1.1",
          "nonsense"}) {
        const std::string reply = ask(std::string(target) + "\r\n\r\n");
        EXPECT_TRUE(reply.starts_with("HTTP/1.1 403 ")) << target << ": " << reply;
    }
    EXPECT_THAT(net_.connections(), IsEmpty());
}

TEST_F(GuardProxyTest, EachRequestIsCheckedAgain) {
    const std::string request = "GET http://rebound.example/ HTTP/1.1\r\n\r\n";
    const auto replies = runtime_.run(ask_all(this, {request, request}));
    EXPECT_TRUE(replies[0].starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(replies[1].starts_with("HTTP/1.1 403 "));
    EXPECT_THAT(net_.connections(), ElementsAre("93.184.216.34:80"));
}

TEST_F(GuardProxyTest, BytesAreBounded) {
    net_.serve([](const std::string&) { return FakeInternet::page(std::string(300'000, 'x')); });
    options_.bytes_max = 100'000;
    EXPECT_LT(ask("GET http://site.example/ HTTP/1.1\r\n\r\n").size(), 120'000U);
}

TEST_F(GuardProxyTest, AHeadHasAnEnd) {
    EXPECT_EQ(ask("GET http://site.example/ HTTP/1.1\r\nx: " + std::string(40'000, 'x')), "");
}

}  // namespace
}  // namespace heddle::fetch
