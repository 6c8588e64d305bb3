// The real browser on a network of the test's own. Skipped where there is none.
#include "fetch/browser.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "fetch/fake_internet_testing.h"
#include "fetch/fetcher.h"

namespace heddle::fetch {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kChromium = "/usr/bin/chromium";

class BrowserTest : public testing::Test {
protected:
    void SetUp() override {
        if (access(kChromium, X_OK) != 0) GTEST_SKIP() << "no chromium (Debian package)";
        net_.name("site.example", {{"93.184.216.34"}});
        net_.name("inside.example", {{"10.0.0.5"}});
        net_.serve([](const std::string& head) {
            if (head.starts_with("GET /data ")) return FakeInternet::page("drawn by a script");
            return FakeInternet::page(
                "<title>App</title><div id=app></div><script>"
                "addEventListener('load', async () => {"
                "const text = await (await fetch('/data')).text();"
                "const main = document.createElement('main');"
                "main.innerHTML = '<h1>Looms</h1><p>' + (text + '. ').repeat(60) + '</p>';"
                "document.getElementById('app').append(main);"
                "for (const place of ['http://inside.example/', 'http://127.0.0.1:9/'])"
                "  fetch(place, {mode: 'no-cors'}).catch(() => {});"
                "});</script>");
        });
    }
    std::unique_ptr<Browser> browser() {
        BrowserOptions options{.executable = kChromium, .as_root = true};
        return Browser::create(options, runtime_.workers(), net_.resolver(), net_.connector())
            .value();
    }
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    FakeInternet net_;
};

TEST_F(BrowserTest, ReadsWhatScriptsDrawAndReachesNothingInside) {
    FetchOptions options;
    options.obey_robots = false;
    options.total_timeout = std::chrono::milliseconds(30'000);
    Fetcher fetcher(options, runtime_.workers(), std::nullopt, net_.resolver(), net_.connector());
    fetcher.use_browser(browser());
    const auto pages = runtime_.run(fetcher.fetch_all(
        {markup::Url::parse("http://site.example/app?a\\b").value()}, async::Deadline::never()));
    ASSERT_EQ(pages.size(), 1U);
    ASSERT_FALSE(pages[0].error) << pages[0].error->message();
    EXPECT_THAT(pages[0].text, HasSubstr("drawn by a script."));
    EXPECT_EQ(pages[0].title, "App");
    EXPECT_THAT(net_.connections(), Each(StartsWith("93.184.216.34:")));
}

TEST_F(BrowserTest, APageThatDoesNotOpenIsAnError) {
    const auto alone = browser();
    const auto page = runtime_.run(alone->render(
        markup::Url::parse("http://inside.example/").value(), async::Deadline::never()));
    // The proxy's refusal is an empty page; what matters is that nothing was asked.
    if (page) EXPECT_EQ(page->html.find("drawn"), std::string::npos);
    EXPECT_TRUE(net_.connections().empty());
}

TEST_F(BrowserTest, RootNeedsItsFlag) {
    BrowserOptions options{.executable = kChromium};
    const auto refused =
        Browser::create(options, runtime_.workers(), net_.resolver(), net_.connector());
    if (geteuid() == 0)
        EXPECT_EQ(refused.error().code(), ErrorCode::kPermissionDenied);
    else
        EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace heddle::fetch
