#include "fetch/address_rules.h"

#include <gtest/gtest.h>

namespace heddle::fetch {
namespace {

// clang-format off
constexpr const char* kPublicAddresses[] = {
    "8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1",
    "172.32.0.1", "192.0.1.1", "192.0.3.1", "192.167.1.1", "198.17.0.1", "198.20.0.1",
    "223.255.255.255", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.1", "169.253.1.1",
    "169.255.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:200::1",
    "2001:4860:4860::8888", "2003::1", "3ffe::1",
};

constexpr const char* kOtherAddresses[] = {
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.255.255.255", "169.254.169.254", "169.254.0.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
    "3fff:fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1",
    "ff02::1", "4000::1", "1fff::1",
};

// Loopback and unspecified, as payload lists spell them.
constexpr const char* kLoopbackSpellings[] = {
    "127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0177.1", "0x7f.0.0.1", "0x7f.1", "0x7f000001",
    "0x7F000001", "2130706433", "017700000001", "00000177.1", "127.0.0.1.", "127.000.000.1",
    "0x7f.0x0.0x0.0x1", "0X7F.1", "127.0x0.0.1", "127.0.0.0x1", "127.0.00000.1",
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "１２７.０.０.１", "127。0。0。1",
    "127．0．0．1", "127｡0｡0｡1", "①②⑦.⓪.⓪.①", "①27.0.0.1", "0x7f｡1",
    "127.127.127.127", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[0:0:0:0:0:FFFF:7F00:0001]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "0.0.0.0",
    "0", "0x0", "00", "0.0", "0.1.2.3", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[fec0::1]", "[100::1]",
};

// Metadata services, private and reserved networks.
constexpr const char* kInsideSpellings[] = {
    "169.254.169.254", "169.254.43518", "169.16689662", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "025177524776", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]", "169。254。169。254", "⑯⑨.②⑤④.⑯⑨.②⑤④",
    "10.0.0.1", "10.1", "012.1", "0xa.0.0.1", "167772161", "192.168.0.1", "192.168.1",
    "0xc0a80001", "3232235521", "0300.0250.0.1", "172.16.0.1", "172.31.255.255", "0xac100001",
    "2886729729", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.88.99.1",
    "224.0.0.1", "239.0.0.1", "240.0.0.1", "255.255.255.255", "4294967295", "0xffffffff",
    "[::ffff:10.0.0.1]", "[::ffff:192.168.0.1]", "[::ffff:172.16.0.1]", "203.0.113.7",
    "[2001:db8::1]",
};

constexpr const char* kOddUrls[] = {
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/_x", "dict://a:11211/",
    "ldap://a/", "tftp://a/", "sftp://a/", "jar:http://a!/", "netdoc:///etc", "data:text/html,x",
    "javascript:alert(1)", "blob:http://a/", "ws://example.org/", "about:blank", "view-source:x",
    "http://user@example.org/", "http://user:pass@example.org/", "http://:p@example.org/",
    "http://example.org:22/", "http://example.org:8080/", "https://example.org:80/",
    "http://example.org:443/", "http://example.org:0/", "http://127.0.0.1:80@example.org/",
    "http://example.org@127.0.0.1/", "http://127.0.0.1#@example.org/",
    "http://127.0.0.1?@example.org/", "http://127.0.0.1\\@example.org/",
    "http://1.1.1.1 &@2.2.2.2# @3.3.3.3/", "http:///", "http://", "http://%00/",
    "http://exa mple.org/", "http://[::1", "http://[::g]/", "http://256.1.1.1/",
    "http://1.2.3.4.5/", "http://0x7f.0.0.0.1/", "http://\t127.0.0.1/", "http://127.0.0.1\n/",
};
// clang-format on

bool refused(std::string_view text) {
    const auto url = markup::Url::parse(text);
    if (!url) return true;
    return !check_url(*url, false);
}

TEST(AddressRules, PublicMeansGloballyReachable) {
    for (const char* text : kPublicAddresses) {
        EXPECT_TRUE(is_public(boost::asio::ip::make_address(text))) << text;
    }
    for (const char* text : kOtherAddresses) {
        EXPECT_FALSE(is_public(boost::asio::ip::make_address(text))) << text;
    }
    EXPECT_FALSE(is_public(boost::asio::ip::make_address("2606:4700::1%2")));
}

// Spellings of addresses that must not be asked, as payload lists have them.
TEST(AddressRules, RefusesEverySpelling) {
    std::vector<std::string> hosts(std::begin(kLoopbackSpellings), std::end(kLoopbackSpellings));
    hosts.insert(hosts.end(), std::begin(kInsideSpellings), std::end(kInsideSpellings));
    for (const std::string& host : hosts) {
        for (const char* scheme : {"http://", "https://", "HtTp:\\\\", "http:/", "http:"}) {
            EXPECT_TRUE(refused(scheme + host + "/latest/meta-data")) << scheme << host;
        }
    }
    EXPECT_GE(hosts.size(), 100U);
}

TEST(AddressRules, RefusesOtherThanPlainWebAddresses) {
    for (const char* text : kOddUrls) {
        EXPECT_TRUE(refused(text)) << text;
    }
    EXPECT_TRUE(refused("http://" + std::string(254, 'a') + ".example/"));
    for (const char* text :
         {"http://example.org/", "https://example.org:443/x", "http://example.org:80",
          "http://8.8.8.8/", "https://[2606:4700::1111]/", "http://127.0.0.1.example.org/",
          "http://xn--bcher-kva.example/"}) {
        EXPECT_FALSE(refused(text)) << text;
    }
}

TEST(AddressRules, TheOperatorMayNameHosts) {
    const auto list = AllowList::parse(
        {"127.0.0.1:8080", "intranet.example", "[::1]:9000", "fd00::1", "web.example:80"});
    ASSERT_TRUE(list) << list.error().message();
    const auto has = [&](const char* text) { return list->has(*markup::Url::parse(text)); };
    EXPECT_TRUE(has("http://127.0.0.1:8080/x"));
    EXPECT_TRUE(has("http://2130706433:8080/x"));
    EXPECT_FALSE(has("http://127.0.0.1/"));
    EXPECT_FALSE(has("http://127.0.0.1:8081/"));
    EXPECT_TRUE(has("https://INTRANET.example/"));
    EXPECT_FALSE(has("http://intranet.example:8080/"));
    EXPECT_FALSE(has("http://x.intranet.example/"));
    EXPECT_TRUE(has("http://[::1]:9000/"));
    EXPECT_TRUE(has("http://[fd00::1]/"));
    EXPECT_TRUE(has("http://web.example/"));
    EXPECT_FALSE(has("https://web.example/"));
    for (const char* bad : {"", "http://x", "a/b", "user@x", "x:99999", "x:y", "a b"}) {
        EXPECT_FALSE(AllowList::parse({bad})) << bad;
    }
    EXPECT_FALSE(check_url(*markup::Url::parse("ftp://127.0.0.1:8080/"), true));
    EXPECT_FALSE(check_url(*markup::Url::parse("http://u@127.0.0.1:8080/"), true));
    EXPECT_TRUE(check_url(*markup::Url::parse("http://127.0.0.1:8080/"), true));
}

TEST(AddressRules, KnowsItsOwnInterfaces) {
    const auto own = own_addresses();
    EXPECT_NE(std::find(own.begin(), own.end(), boost::asio::ip::make_address("127.0.0.1")),
              own.end());
}

}  // namespace
}  // namespace heddle::fetch
