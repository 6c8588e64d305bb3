// Request smuggling and limits, as raw bytes over a socket, in the manner of http-garden: each case
// names what must come back and that nothing behind a refused request is read as another one.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/http_testing.h"
#include "http/router.h"

namespace heddle::http {
namespace {

async::Task<Response> echo(Request& request) {
    auto body = co_await request.body().read_all();
    if (!body) co_return test_error(request, body.error());
    co_return Response::text(200, "text/plain", "[" + *body + "]");
}

struct Case {
    std::string name;
    std::string bytes;
    std::vector<int> statuses;  // of the responses, in order
};

// A second request behind the first: were the first read in another way, it would be answered.
const std::string kNext = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

std::string get(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + kNext;
}
std::string post(const std::string& fields, const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body + kNext;
}
std::string chunked(const std::string& body) {
    return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Case> framing_cases() {
    return {
        {"one length", post("Content-Length: 2\r\n", "ab"), {200, 200}},
        {"length with spaces around it", post("Content-Length: \t2 \r\n", "ab"), {200, 200}},
        {"two equal lengths", post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), {400}},
        {"two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "ab"), {400}},
        {"length list", post("Content-Length: 2, 2\r\n", "ab"), {400}},
        {"signed length", post("Content-Length: +2\r\n", "ab"), {400}},
        {"negative length", post("Content-Length: -2\r\n", "ab"), {400}},
        {"hexadecimal length", post("Content-Length: 0x2\r\n", "ab"), {400}},
        {"length with a fraction", post("Content-Length: 2.0\r\n", "ab"), {400}},
        {"length in words", post("Content-Length: two\r\n", "ab"), {400}},
        {"empty length", post("Content-Length:\r\n", "ab"), {400}},
        {"length of 2^64", post("Content-Length: 18446744073709551616\r\n", "ab"), {400}},
        {"length above the cap", post("Content-Length: 3000000\r\n", "ab"), {413}},
        {"length and coding",
         post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         {400}},
        {"coding and length",
         post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
         {400}},
        {"another coding", post("Transfer-Encoding: gzip\r\n", ""), {400}},
        {"coding list", post("Transfer-Encoding: x, chunked\r\n", "0\r\n\r\n"), {400}},
        {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), {400}},
        {"two coding fields",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
         {400}},
        {"coding with a vertical tab",
         post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
         {400}},
        {"quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), {400}},
        {"coding in capitals", post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), {200, 200}},
        {"coding in HTTP/1.0",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kNext,
         {400}},
        {"encoded body", post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "ab"), {415}},
        {"identity encoding",
         post("Content-Encoding: identity\r\nContent-Length: 2\r\n", "ab"),
         {200, 200}},
        {"unknown expectation", post("Expect: 200-ok\r\nContent-Length: 2\r\n", "ab"), {417}},
    };
}

std::vector<Case> chunk_cases() {
    return {
        {"chunks", chunked("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), {200, 200}},
        {"capital hexadecimal", chunked("A\r\n0123456789\r\n0\r\n\r\n"), {200, 200}},
        {"leading zeros", chunked("0002\r\nab\r\n0\r\n\r\n"), {200, 200}},
        {"extension", chunked("2;a=\"b\"\r\nab\r\n0\r\n\r\n"), {200, 200}},
        {"long extension", chunked("2;" + std::string(300, 'a') + "\r\nab\r\n0\r\n\r\n"), {400}},
        {"bare LF behind the size", chunked("2\nab\r\n0\r\n\r\n"), {400}},
        {"bare LF in an extension", chunked("2;\nab\r\n0\r\n\r\n"), {400}},
        {"bare CR behind the size", chunked("2\rab\r\n0\r\n\r\n"), {400}},
        {"no line break behind the data", chunked("2\r\nab0\r\n\r\n"), {400}},
        {"data longer than its size", chunked("2\r\nabc\r\n0\r\n\r\n"), {400}},
        {"bare LF behind the data", chunked("2\r\nab\n0\r\n\r\n"), {400}},
        {"size with 0x", chunked("0x2\r\nab\r\n0\r\n\r\n"), {400}},
        {"size with a sign", chunked("+2\r\nab\r\n0\r\n\r\n"), {400}},
        {"space before the size", chunked(" 2\r\nab\r\n0\r\n\r\n"), {400}},
        {"space behind the size", chunked("2 \r\nab\r\n0\r\n\r\n"), {400}},
        {"no size", chunked("\r\nab\r\n0\r\n\r\n"), {400}},
        {"size of 2^64", chunked("10000000000000002\r\nab\r\n0\r\n\r\n"), {400}},
        {"size above the cap", chunked("ffffff\r\n" + std::string(2'200'000, 'x')), {413}},
        {"trailer", chunked("0\r\nX: y\r\n\r\n"), {200, 200}},
        {"bare LF in a trailer", chunked("0\r\nX: y\n\r\n"), {400}},
        {"endless trailer", chunked("0\r\nX: " + std::string(9000, 'y') + "\r\n\r\n"), {400}},
    };
}

std::vector<Case> head_cases() {
    const std::string nul(1, '\0');
    std::string hundred;
    for (int i = 0; i < 99; ++i) hundred += "X: y\r\n";
    return {
        {"plain", get(""), {200, 200}},
        {"bare LF lines", "GET / HTTP/1.1\nHost: x\n\n" + kNext, {400}},
        {"one bare LF", "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n" + kNext, {400}},
        {"bare CR in a value", get("X: a\rb\r\n"), {400}},
        {"folded field", get("X: a\r\n b\r\n"), {400}},
        {"space before the first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n" + kNext, {400}},
        {"space before the colon", get("X : y\r\n"), {400}},
        {"tab before the colon", get("X\t: y\r\n"), {400}},
        {"no name", get(": y\r\n"), {400}},
        {"no colon", get("X\r\n"), {400}},
        {"parenthesis in a name", get("X(: y\r\n"), {400}},
        {"NUL in a value", get("X: a" + nul + "b\r\n"), {400}},
        {"NUL in the target", "GET /" + nul + " HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"control in a value", get("X: a\x01 b\r\n"), {400}},
        {"no Host", "GET / HTTP/1.1\r\n\r\n" + kNext, {400}},
        {"two Hosts", get("Host: y\r\n"), {400}},
        {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", {200}},
        {"100 fields", get(hundred), {200, 200}},
        {"101 fields", get(hundred + "X: y\r\n"), {431}},
        {"large field", get("X: " + std::string(17'000, 'y') + "\r\n"), {431}},
        {"long target", "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", {414}},
        {"leading empty line", "\r\n" + get(""), {400}},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"no version", "GET /\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n" + kNext, {505}},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n" + kNext, {505}},
        {"HTTP/01.1", "GET / HTTP/01.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"lower-case protocol", "GET / http/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
        {"unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {501}},
        {"method in small letters", "get / HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {501}},
        {"not a token as method", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"authority form", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {501}},
        {"dot segment", "GET /../x HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"encoded dot segment", "GET /%2e%2E/x HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"encoded NUL", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"broken escape", "GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"no UTF-8", "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n" + kNext, {400}},
        {"TLS to a plain port", "\x16\x03\x01\x02", {}},
    };
}

class Smuggling : public testing::Test {
protected:
    void run(const std::vector<Case>& cases) {
        for (const Case& one : cases) {
            const std::string response = exchange(server_.port(), one.bytes);
            std::vector<int> statuses;
            for (std::size_t at = response.find("HTTP/1.1 "); at != std::string::npos;
                 at = response.find("HTTP/1.1 ", at + 1)) {
                statuses.push_back(status_of(std::string_view(response).substr(at)));
            }
            EXPECT_EQ(statuses, one.statuses) << one.name;
        }
    }

    static ServerOptions options() {
        ServerOptions quick;
        quick.tick = std::chrono::milliseconds(10);
        return quick;
    }
    TestServer server_{options(), echo};
};

TEST_F(Smuggling, FramingIsReadInOneWayOrNotAtAll) {
    run(framing_cases());
}

TEST_F(Smuggling, ChunksAreReadInOneWayOrNotAtAll) {
    run(chunk_cases());
}

TEST_F(Smuggling, HeadsAreReadInOneWayOrNotAtAll) {
    run(head_cases());
}

}  // namespace
}  // namespace heddle::http
