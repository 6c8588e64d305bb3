// The pure parsers: the same result whatever the pieces, and their refusals.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/body_decoder.h"
#include "http/conditional.h"
#include "http/field_parameters.h"
#include "http/sse.h"
#include "http/target.h"
#include "http/url.h"
#include "http/websocket_decoder.h"
#include "http/websocket_handshake.h"

namespace heddle::http {
namespace {

// Feeds two pieces; what was decoded, or nothing when it was refused or is not complete.
std::optional<std::string> decode_in_two(std::string_view input, std::size_t cut) {
    BodyDecoder decoder(Framing{Framing::Kind::kChunked, 0});
    std::string body;
    for (std::string_view piece : {input.substr(0, cut), input.substr(cut)}) {
        while (!piece.empty() && !decoder.done()) {
            const auto step = decoder.decode(piece);
            if (!step) return std::nullopt;
            body += step->data;
            piece.remove_prefix(step->consumed);
        }
    }
    return decoder.done() ? std::optional(body) : std::nullopt;
}

TEST(BodyDecoder, DecodesChunksCutAnywhere) {
    const std::string input =
        "5;x=y\r\nhello\r\n1\r\n,\r\n006\r\n world\r\n0\r\nT: v\r\nU: w\r\n\r\n";
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
        EXPECT_EQ(decode_in_two(input, cut), "hello, world") << cut;
    }
    for (std::size_t length = 0; length < input.size(); ++length) {
        EXPECT_FALSE(decode_in_two(input.substr(0, length), 0)) << length;
    }
}

TEST(HeadScanner, FindsTheEndCutAnywhere) {
    const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (std::size_t cut = 0; cut < head.size(); ++cut) {
        HeadScanner scanner({});
        ASSERT_EQ(scanner.scan(std::string_view(head).substr(0, cut)).value(), std::nullopt);
        EXPECT_EQ(scanner.scan(head + "body").value(), head.size());
    }
}

TEST(SseParser, ReadsEventsCutAnywhere) {
    const std::string input =
        "\xEF\xBB\xBF: comment\n\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\nid: 7\rdata\r\rdata: "
        "last\n\nunknown: x\n\ndata: never";
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
        SseParser parser;
        std::string seen;
        for (const std::string& piece : {input.substr(0, cut), input.substr(cut)}) {
            parser.feed(piece);
            for (auto event = parser.next(); event.value(); event = parser.next()) {
                seen += (*event)->name + "/" + (*event)->id + "/" + (*event)->data + ";";
            }
        }
        EXPECT_EQ(seen, "a//1\n2;/7/;//last;") << cut;
    }
}

TEST(SseParser, RefusesALineWithoutEnd) {
    SseParser parser(100);
    parser.feed("data: " + std::string(200, 'x'));
    EXPECT_FALSE(parser.next());
}

TEST(SseEvents, KeepLineBreaksInDataAndNowhereElse) {
    std::string out;
    append_event(out, "na\nme", "one\ntwo\r\nthree\rfour");
    EXPECT_EQ(out, "event: name\ndata: one\ndata: two\ndata: three\ndata: four\n\n");
    out.clear();
    append_event(out, "", "");
    EXPECT_EQ(out, "data: \n\n");
}

// A client's frame: masked.
std::string frame(unsigned first_byte, std::string payload) {
    std::string out(1, static_cast<char>(first_byte));
    if (payload.size() < 126) {
        out += static_cast<char>(0x80 | payload.size());
    } else {
        out += static_cast<char>(0xFE);
        out += static_cast<char>(payload.size() >> 8);
        out += static_cast<char>(payload.size() & 0xFF);
    }
    const std::string mask = "\x11\x22\x33\x44";
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

TEST(WebSocketDecoder, ReadsMessagesCutAnywhere) {
    const std::string long_text(300, 'x');
    const std::string input = frame(0x01, "he") + frame(0x89, "ping") + frame(0x80, "llo") +
                              frame(0x82, long_text) +
                              frame(0x88, std::string("\x03\xE8", 2) + "bye");
    using Kind = WebSocketItem::Kind;
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
        WebSocketDecoder decoder(1000);
        std::vector<WebSocketItem> items;
        for (const std::string& piece : {input.substr(0, cut), input.substr(cut)}) {
            decoder.feed(piece);
            for (auto item = decoder.next(); item.value(); item = decoder.next()) {
                items.push_back(**item);
            }
        }
        ASSERT_EQ(items.size(), 4u) << cut;
        EXPECT_EQ(items[0].kind, Kind::kPing);
        EXPECT_EQ(items[1].kind, Kind::kText);
        EXPECT_EQ(items[1].payload, "hello");
        EXPECT_EQ(items[2].payload, long_text);
        EXPECT_EQ(items[3].close_code, 1000);
        EXPECT_EQ(items[3].payload, "bye");
    }
}

TEST(WebSocketDecoder, RefusesWhatBreaksTheProtocol) {
    const auto fault = [](const std::string& bytes) {
        WebSocketDecoder decoder(100);
        decoder.feed(bytes);
        const auto item = decoder.next();
        return item ? WebSocketFault{} : item.error();
    };
    EXPECT_EQ(fault(std::string("\x81\x01x", 3)), WebSocketFault::kProtocol) << "not masked";
    EXPECT_EQ(fault(frame(0xC1, "x")), WebSocketFault::kProtocol) << "a reserved bit";
    EXPECT_EQ(fault(frame(0x83, "x")), WebSocketFault::kProtocol) << "an unknown opcode";
    EXPECT_EQ(fault(frame(0x8B, "x")), WebSocketFault::kProtocol) << "an unknown control";
    EXPECT_EQ(fault(frame(0x80, "x")), WebSocketFault::kProtocol) << "nothing to continue";
    EXPECT_EQ(fault(frame(0x01, "x") + frame(0x81, "y")), WebSocketFault::kProtocol);
    EXPECT_EQ(fault(frame(0x09, "x")), WebSocketFault::kProtocol) << "a fragmented control";
    EXPECT_EQ(fault(frame(0x89, std::string(126, 'x'))), WebSocketFault::kProtocol);
    EXPECT_EQ(fault(frame(0x88, "x")), WebSocketFault::kProtocol) << "half a close code";
    EXPECT_EQ(fault(frame(0x88, std::string("\x03\xED", 2))), WebSocketFault::kProtocol) << "1005";
    EXPECT_EQ(fault(frame(0x81, "\xFF")), WebSocketFault::kInvalidText);
    EXPECT_EQ(fault(frame(0x82, std::string(101, 'x'))), WebSocketFault::kTooLarge);
    EXPECT_EQ(fault(frame(0x02, std::string(60, 'x')) + frame(0x80, std::string(60, 'x'))),
              WebSocketFault::kTooLarge);
    const std::string overlong("\x82\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x11\x22\x33\x44x", 15);
    EXPECT_EQ(fault(overlong), WebSocketFault::kProtocol) << "a length in more bytes than needed";
    const std::string huge("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x11\x22\x33\x44", 14);
    EXPECT_EQ(fault(huge), WebSocketFault::kTooLarge);
}

TEST(WebSocketHandshake, AcceptsAsInRfc6455) {
    EXPECT_EQ(websocket_accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Ranges, AreParsedOrIgnored) {
    using Kind = RangeOutcome::Kind;
    const auto part = [](std::string_view value) {
        const RangeOutcome range = parse_range(value, 10);
        EXPECT_EQ(range.kind, Kind::kPart) << value;
        return std::pair(range.first, range.last);
    };
    EXPECT_EQ(part("bytes=0-0"), (std::pair<std::uint64_t, std::uint64_t>(0, 0)));
    EXPECT_EQ(part("bytes=3-"), (std::pair<std::uint64_t, std::uint64_t>(3, 9)));
    EXPECT_EQ(part("bytes=3-99"), (std::pair<std::uint64_t, std::uint64_t>(3, 9)));
    EXPECT_EQ(part("bytes=-4"), (std::pair<std::uint64_t, std::uint64_t>(6, 9)));
    EXPECT_EQ(part("bytes=-99"), (std::pair<std::uint64_t, std::uint64_t>(0, 9)));
    for (const auto* value : {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,2-3",
                              "items=0-1", "bytes=a-b", "bytes=0-18446744073709551616"}) {
        EXPECT_EQ(parse_range(value, 10).kind, Kind::kWhole) << value;
    }
    EXPECT_EQ(parse_range("bytes=10-", 10).kind, Kind::kUnsatisfiable);
    EXPECT_EQ(parse_range("bytes=-0", 10).kind, Kind::kUnsatisfiable);
    EXPECT_EQ(parse_range("bytes=-1", 0).kind, Kind::kUnsatisfiable);
}

TEST(EntityTags, MatchWeaklyAndInLists) {
    EXPECT_TRUE(matches_etag("\"a\"", "a"));
    EXPECT_TRUE(matches_etag("\"b\", W/\"a\"", "a"));
    EXPECT_TRUE(matches_etag("*", "a"));
    EXPECT_FALSE(matches_etag("a", "a"));
    EXPECT_FALSE(matches_etag("", "a"));
}

TEST(Targets, AreDecodedOnceAfterTheSplit) {
    const auto target = parse_target("/a%2Fb/%252e/?q=x+y%26&empty&q=2");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments, (std::vector<std::string>{"a/b", "%2e", ""}));
    EXPECT_EQ(target->parameter("q"), "x y&");
    EXPECT_EQ(target->parameter("empty"), "");
    EXPECT_FALSE(target->parameter("none"));
    EXPECT_EQ(parse_target("http://h:1?x=1")->authority, "h:1");
    EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
    for (const auto* bad : {"", "a", "*", "/%", "/%zz", "/a/./b", "/..", "/%2e%2e", "http://"}) {
        EXPECT_FALSE(parse_target(bad)) << bad;
    }
    std::string many = "/?";
    for (int i = 0; i < 101; ++i) many += "a&";
    EXPECT_FALSE(parse_target(many));
}

TEST(Urls, OfOperatorsAreStrict) {
    const auto url = parse_url("https://Example.test:8443/v1?x=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->origin, (Origin{true, "example.test", 8443}));
    EXPECT_EQ(url->target, "/v1?x=1");
    EXPECT_EQ(url->origin.host_header(), "example.test:8443");
    EXPECT_EQ(parse_url("http://[::1]")->origin.host, "::1");
    EXPECT_EQ(parse_url("http://[::1]:80/")->origin.host_header(), "[::1]");
    for (const auto* bad :
         {"", "example.test", "ftp://x", "http://", "http://u@x", "http://x:0", "http://x:65536",
          "http://x:8x", "http://x/#f", "http://a b", "http://[::1", "http://x\r\n"}) {
        EXPECT_FALSE(parse_url(bad)) << bad;
    }
}

TEST(FieldParameters, KeepWhatClientsReallySend) {
    const auto value = parse_field_value(
        " form-data ; name=\"a;b\"; filename=\"C:\\dir\\x.pdf\"; broken; n2 = v ; q=\"\\\"\"");
    EXPECT_EQ(value.value, "form-data");
    EXPECT_EQ(value.parameter("NAME"), "a;b");
    EXPECT_EQ(value.parameter("filename"), "C:\\dir\\x.pdf");
    EXPECT_EQ(value.parameter("n2"), "v");
    EXPECT_EQ(value.parameter("q"), "\"");
    EXPECT_FALSE(value.parameter("broken"));
}

TEST(Cookies, AreFoundByTheirWholeName) {
    const Headers headers{{"Cookie", "xsession=1; session=\"two\"; other=3"}};
    EXPECT_EQ(cookie(headers, "session"), "two");
    EXPECT_EQ(cookie(headers, "other"), "3");
    EXPECT_FALSE(cookie(headers, "sess"));
}

}  // namespace
}  // namespace heddle::http
