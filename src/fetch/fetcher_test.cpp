// The fetcher on a network of the test's own: what it asks, what it refuses to ask, what it tells.
#include "fetch/fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "async/runtime.h"
#include "fetch/fake_internet_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::fetch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Reply = FakeInternet::Reply;

constexpr const char* kPublic = "93.184.216.34";

std::string prose() {
    return "<title>A page</title><main><h1>A page</h1><p>" + std::string(20, 'w') +
           " words that a reader reads.</p></main>";
}

bool asks(const std::string& head, const std::string& path) {
    return head.starts_with("GET " + path + " ");
}

class FetcherTest : public testing::Test {
protected:
    FetcherTest() {
        net_.name("site.example", {{kPublic}});
        options_.obey_robots = false;
        options_.total_timeout = std::chrono::milliseconds(5'000);
    }

    std::vector<PageOutcome> fetch_all(const std::vector<std::string>& urls) {
        Fetcher fetcher(options_, runtime_.workers(), cache_, net_.resolver(), net_.connector(),
                        clock_);
        std::vector<markup::Url> parsed;
        for (const auto& url : urls) parsed.push_back(markup::Url::parse(url).value());
        return runtime_.run(fetcher.fetch_all(parsed, async::Deadline::never()));
    }
    PageOutcome fetch(const std::string& url) { return fetch_all({url}).at(0); }
    std::string reason_of(const std::string& url) {
        const PageOutcome out = fetch(url);
        return out.error ? out.error->reason() : "none";
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    FakeInternet net_;
    FakeClock clock_;
    FetchOptions options_;
    std::optional<PageCache> cache_;
};

TEST_F(FetcherTest, ReadsAPage) {
    net_.serve([](const std::string&) { return FakeInternet::page(prose()); });
    const PageOutcome page = fetch("http://site.example/a?b#c");
    ASSERT_FALSE(page.error) << page.error->message();
    EXPECT_EQ(page.title, "A page");
    EXPECT_THAT(page.text, HasSubstr("words that a reader reads."));
    EXPECT_EQ(page.url, "http://site.example/a?b#c");
    EXPECT_EQ(page.fetched_at_ms, clock_.wall_ms());
    const std::string head = net_.requests().at(0);
    EXPECT_THAT(head, HasSubstr("GET /a?b HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Host: site.example\r\n"));
    EXPECT_THAT(head, HasSubstr("User-Agent: Heddle/0.1\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Cookie")));
    EXPECT_THAT(net_.connections(), ElementsAre("93.184.216.34:80"));
}

TEST_F(FetcherTest, AsksNoAddressThatIsNotPublic) {
    net_.name("inside.example", {{"10.0.0.1"}});
    net_.name("mixed.example", {{kPublic, "192.168.1.1"}});
    net_.name("mapped.example", {{"::ffff:169.254.169.254"}});
    net_.name("metadata.example", {{"169.254.169.254"}});
    net_.name("nowhere.example", {{}});
    net_.name("localhost", {{"127.0.0.1", "::1"}});
    for (const char* url :
         {"http://inside.example/", "http://mixed.example/", "http://mapped.example/",
          "http://metadata.example/latest/meta-data/", "http://nowhere.example/",
          "http://localhost/", "http://unknown.example/", "http://127.0.0.1/", "http://[::1]/",
          "http://2130706433/", "http://0x7f.1/", "http://[::ffff:7f00:1]/", "http://0/",
          "http://site.example:22/", "http://user@site.example/", "ftp://site.example/"}) {
        EXPECT_TRUE(fetch(url).error) << url;
    }
    EXPECT_THAT(net_.connections(), IsEmpty());
}

TEST_F(FetcherTest, ConnectsToTheAddressThatWasChecked) {
    net_.name("rebind.example", {{kPublic}, {"127.0.0.1"}});
    net_.serve([](const std::string&) { return FakeInternet::page(prose()); });
    EXPECT_FALSE(fetch("http://rebind.example/").error);
    EXPECT_THAT(net_.lookups(), ElementsAre("rebind.example"));
    // The next request looks the name up again and is refused.
    EXPECT_EQ(reason_of("http://rebind.example/"), "not_retrieved");
    EXPECT_THAT(net_.connections(), ElementsAre("93.184.216.34:80"));
}

TEST_F(FetcherTest, ChecksEveryRedirectFromTheStart) {
    net_.name("inside.example", {{"10.0.0.1"}});
    net_.name("rebind.example", {{kPublic}, {"127.0.0.1"}});
    for (const std::string target :
         {"http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/",
          "http://127.0.0.1/", "//0x7f.1/", "http://inside.example/", "file:///etc/passwd",
          "gopher://127.0.0.1:6379/_x", "http://site.example:8080/", "http://u@site.example/",
          "javascript:alert(1)", "http://[", ""}) {
        for (const char* status :
             {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"}) {
            net_.serve([&](const std::string&) { return FakeInternet::redirect(target, status); });
            EXPECT_TRUE(fetch("http://site.example/").error) << target << status;
        }
    }
    // A chain that ends inside: public, public, then the rebound name.
    net_.serve([](const std::string& head) {
        return asks(head, "/1") ? FakeInternet::redirect("http://rebind.example/2")
                                : FakeInternet::redirect("http://rebind.example/3");
    });
    EXPECT_EQ(reason_of("http://site.example/1"), "not_retrieved");
    for (const std::string& to : net_.connections()) EXPECT_EQ(to, "93.184.216.34:80");
}

TEST_F(FetcherTest, FollowsAFewRedirects) {
    net_.name("other.example", {{"8.8.8.8"}});
    net_.serve([](const std::string& head) {
        if (asks(head, "/a")) return FakeInternet::redirect("/b", "303 See Other");
        if (asks(head, "/b")) return FakeInternet::redirect("http://other.example/c?d");
        if (asks(head, "/loop")) return FakeInternet::redirect("/loop");
        return FakeInternet::page(prose());
    });
    const PageOutcome page = fetch("http://site.example/a");
    ASSERT_FALSE(page.error);
    EXPECT_EQ(page.final_url, "http://other.example/c?d");
    EXPECT_EQ(reason_of("http://site.example/loop"), "too_many_redirects");
}

TEST_F(FetcherTest, TheOperatorsListIsForUsersNotForPages) {
    options_.allow = AllowList::parse({"10.0.0.1:8080", "inside.example"}).value();
    net_.name("inside.example", {{"10.0.0.2"}});
    net_.serve([](const std::string& head) {
        return asks(head, "/out") ? FakeInternet::redirect("http://10.0.0.1:8080/secret")
                                  : FakeInternet::page(prose());
    });
    EXPECT_FALSE(fetch("http://10.0.0.1:8080/").error);
    EXPECT_FALSE(fetch("http://inside.example/").error);
    EXPECT_FALSE(fetch("http://inside.example/out").error);
    EXPECT_TRUE(fetch("http://10.0.0.1:8081/").error);
    EXPECT_EQ(reason_of("http://site.example/out"), "refused_url");
    EXPECT_THAT(net_.connections(), ElementsAre("10.0.0.1:8080", "10.0.0.2:80", "10.0.0.2:80",
                                                "10.0.0.1:8080", "93.184.216.34:80"));
}

TEST_F(FetcherTest, StopsAtItsLimits) {
    options_.total_timeout = std::chrono::milliseconds(300);
    net_.serve([](const std::string& head) -> Reply {
        const std::string ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
        if (asks(head, "/drip")) return {std::vector<std::string>(200, "HTTP/1.1 200"), 50};
        if (asks(head, "/slow")) {
            std::vector<std::string> pieces(100, "x");
            pieces.insert(pieces.begin(), ok);
            return {pieces, 50};
        }
        if (asks(head, "/long")) return {{ok, std::string(3 << 20, 'x')}};
        if (asks(head, "/headers"))
            return {{"HTTP/1.1 200 OK\r\nX: " + std::string(64 << 10, 'x')}};
        if (asks(head, "/lie")) return {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"}};
        return {{"not http at all"}};
    });
    EXPECT_TRUE(fetch("http://site.example/drip").error);
    EXPECT_EQ(reason_of("http://site.example/slow"), "timeout");
    options_.total_timeout = std::chrono::milliseconds(5'000);
    EXPECT_EQ(reason_of("http://site.example/long"), "too_large");
    EXPECT_EQ(reason_of("http://site.example/headers"), "not_retrieved");
    EXPECT_EQ(reason_of("http://site.example/lie"), "not_retrieved");
    EXPECT_EQ(reason_of("http://site.example/garbage"), "not_retrieved");
}

std::string gzipped(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST_F(FetcherTest, ReadsCompressedPagesButNoBombs) {
    net_.serve([](const std::string& head) {
        const bool bomb = asks(head, "/bomb");
        return FakeInternet::page(gzipped(bomb ? std::string(64 << 20, ' ') : prose()),
                                  "Content-Encoding: gzip\r\n");
    });
    EXPECT_THAT(fetch("http://site.example/").text, HasSubstr("words that a reader reads"));
    EXPECT_EQ(reason_of("http://site.example/bomb"), "too_large");
}

TEST_F(FetcherTest, ReadsOnlyWhatItCanRead) {
    net_.serve([](const std::string& head) {
        if (asks(head, "/png")) return FakeInternet::page("x", "", "200 OK", "image/png");
        if (asks(head, "/liar")) return FakeInternet::page("\x89PNG\r\n\x1a\n");
        if (asks(head, "/zstd")) return FakeInternet::page("x", "Content-Encoding: zstd\r\n");
        if (asks(head, "/p.pdf")) {
            return FakeInternet::page("%PDF-1.7 x", "", "200 OK", "application/pdf");
        }
        if (asks(head, "/text")) {
            return FakeInternet::page(
                "Gr\xFC\xDF"
                "e",
                "", "200 OK", "text/plain; charset=latin1");
        }
        if (asks(head, "/empty")) return FakeInternet::page("<div id=app></div><script>x</script>");
        return FakeInternet::page("gone", "", "404 Not Found");
    });
    EXPECT_EQ(reason_of("http://site.example/png"), "unsupported_type");
    EXPECT_EQ(reason_of("http://site.example/liar"), "unsupported_type");
    EXPECT_EQ(reason_of("http://site.example/zstd"), "unsupported_type");
    EXPECT_EQ(reason_of("http://site.example/empty"), "no_text");
    EXPECT_EQ(reason_of("http://site.example/404"), "http_status");
    EXPECT_EQ(fetch("http://site.example/p.pdf").pdf, "%PDF-1.7 x");
    EXPECT_EQ(fetch("http://site.example/text").text, "Grüße");
}

TEST_F(FetcherTest, ErrorsTellNothingOfTheNetwork) {
    net_.name("inside.example", {{"10.0.0.1"}});
    for (const char* url : {"http://inside.example/", "http://unknown.example/"}) {
        const PageOutcome page = fetch(url);
        ASSERT_TRUE(page.error);
        EXPECT_EQ(page.error->reason(), "not_retrieved");
        EXPECT_THAT(page.error->message(), HasSubstr("the page could not be retrieved ("));
        EXPECT_THAT(page.error->message(), Not(HasSubstr("10.0.0.1")));
    }
}

TEST_F(FetcherTest, FetchesAtOnceAndWithinBounds) {
    for (const char* host : {"a.example", "b.example", "c.example"}) net_.name(host, {{kPublic}});
    options_.urls_max = 6;
    net_.serve([](const std::string& head) -> Reply {
        Reply reply = FakeInternet::page(prose());
        reply.pieces.insert(reply.pieces.begin(), "");
        if (asks(head, "/fail")) return {{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"}};
        return FakeInternet::page(prose());
    });
    const auto pages = fetch_all({"http://a.example/1", "http://a.example/fail",
                                  "http://a.example/3", "http://b.example/", "http://c.example/"});
    ASSERT_EQ(pages.size(), 5U);
    EXPECT_FALSE(pages[0].error);
    EXPECT_EQ(pages[1].error->reason(), "http_status");
    EXPECT_EQ(pages[2].error->reason(), "too_many_urls");
    EXPECT_FALSE(pages[3].error);
    EXPECT_FALSE(pages[4].error);
    options_.urls_max = 1;
    EXPECT_EQ(fetch_all({"http://a.example/", "http://b.example/"})[1].error->reason(),
              "too_many_urls");
}

TEST_F(FetcherTest, ObeysRobots) {
    options_.obey_robots = true;
    net_.name("down.example", {{kPublic}});
    net_.serve([](const std::string& head) {
        const bool down = head.find("Host: down.example") != std::string::npos;
        if (asks(head, "/robots.txt") && down) return FakeInternet::page("", "", "503 Busy");
        if (asks(head, "/robots.txt")) {
            return FakeInternet::page("user-agent: heddle\ndisallow: /private", "", "200 OK",
                                      "text/plain");
        }
        return FakeInternet::page(prose());
    });
    EXPECT_FALSE(fetch("http://site.example/public").error);
    const PageOutcome page = fetch("http://site.example/private/x");
    ASSERT_TRUE(page.error);
    EXPECT_EQ(page.error->reason(), "robots");
    EXPECT_THAT(page.error->message(), HasSubstr("Disallow: /private"));
    EXPECT_EQ(reason_of("http://down.example/"), "robots");
    net_.serve([](const std::string& head) {
        return asks(head, "/robots.txt") ? FakeInternet::page("", "", "404 Not Found")
                                         : FakeInternet::page(prose());
    });
    EXPECT_FALSE(fetch("http://site.example/private/x").error);
    // The guard stands before robots.txt too.
    net_.serve([](const std::string&) { return FakeInternet::redirect("http://127.0.0.1/"); });
    EXPECT_EQ(reason_of("http://site.example/"), "robots");
    for (const std::string& to : net_.connections()) EXPECT_EQ(to, "93.184.216.34:80");
}

TEST_F(FetcherTest, KeepsPagesAndAsksWhetherTheyChanged) {
    const storage::Scratch scratch;
    auto database = storage::Database::open({.location = scratch.path() + "/heddle.db"}).value();
    cache_ = PageCache::open(*database, 2).value();
    net_.serve([](const std::string& head) {
        if (head.find("If-None-Match: \"v1\"") != std::string::npos) {
            return FakeInternet::page("", "", "304 Not Modified");
        }
        const bool secret = asks(head, "/secret");
        return FakeInternet::page(prose(), secret
                                               ? "Cache-Control: no-store\r\n"
                                               : "ETag: \"v1\"\r\nCache-Control: max-age=60\r\n");
    });
    EXPECT_FALSE(fetch("http://site.example/a").from_cache);
    EXPECT_TRUE(fetch("http://site.example/a#other-part").from_cache);
    EXPECT_EQ(net_.requests().size(), 1U);
    clock_.advance(std::chrono::seconds(61));
    const PageOutcome again = fetch("http://site.example/a");
    EXPECT_TRUE(again.from_cache);
    EXPECT_EQ(again.fetched_at_ms, clock_.wall_ms());
    EXPECT_THAT(again.text, HasSubstr("words that a reader reads"));
    EXPECT_EQ(net_.requests().size(), 2U);
    EXPECT_FALSE(fetch("http://site.example/secret").from_cache);
    EXPECT_FALSE(fetch("http://site.example/secret").from_cache);
    // Two pages are kept; the oldest goes.
    clock_.advance(std::chrono::seconds(1));
    fetch("http://site.example/b");
    clock_.advance(std::chrono::seconds(1));
    fetch("http://site.example/c");
    EXPECT_FALSE(fetch("http://site.example/a").from_cache);
    cache_.reset();
}

TEST_F(FetcherTest, ACheckedConnectorTrustsNoSocket) {
    // This connector leads elsewhere than it was told to, as a proxy or a rewritten route would.
    Fetcher fetcher(options_, runtime_.workers(), std::nullopt, net_.resolver(),
                    checked_connector(net_.connector()), clock_);
    net_.serve([](const std::string&) { return FakeInternet::page(prose()); });
    std::vector<markup::Url> urls{markup::Url::parse("http://site.example/").value()};
    const auto pages = runtime_.run(fetcher.fetch_all(urls, async::Deadline::never()));
    ASSERT_TRUE(pages.at(0).error);
    EXPECT_EQ(pages.at(0).error->reason(), "not_retrieved");
    EXPECT_TRUE(net_.requests().empty() || net_.requests().at(0).empty());
}

}  // namespace
}  // namespace heddle::fetch
