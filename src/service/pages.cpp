#include "service/pages.h"

#include <utility>

#include "async/gather.h"
#include "base/log.h"
#include "ingest/chunker.h"
#include "markup/find_urls.h"

namespace heddle::service {
namespace {

// PDF behind a URL: read in the sandbox like an upload, but kept nowhere.
async::Task<GroundedText> read_pdf(ingest::Parser& parser, GroundedText text, std::string bytes) {
    auto parsed = co_await parser.parse_bytes(std::move(bytes), "pdf");
    if (!parsed) {
        text.source.error = "the PDF could not be read: " + parsed.error().message();
        co_return text;
    }
    if (text.source.title.empty()) text.source.title = parsed->title;
    text.text = ingest::document_text(*parsed);
    if (text.text.empty()) text.source.error = "the PDF holds no text";
    co_return text;
}

async::Task<GroundedText> text_of(ingest::Parser& parser, fetch::PageOutcome page) {
    GroundedText text;
    Source& source = text.source;
    source.kind = SourceKind::kWeb;
    source.url = page.url;
    source.title = page.title.empty() ? page.url : page.title;
    if (page.fetched_at_ms > 0) source.retrieved_ms = page.fetched_at_ms;
    if (page.error) {
        source.error = page.error->message();
        log::warn("fetch", "a page of a prompt was left out",
                  {{"url", page.url}, {"reason", page.error->reason()}});
        co_return text;
    }
    if (!page.pdf.empty())
        co_return co_await read_pdf(parser, std::move(text), std::move(page.pdf));
    text.text = std::move(page.text);
    co_return text;
}

}  // namespace

async::Task<std::vector<GroundedText>> fetch_pages(fetch::Fetcher& fetcher, ingest::Parser& parser,
                                                   PageOptions options, std::string prompt) {
    std::vector<markup::Url> urls = markup::urls_of_prompt(prompt, options.urls_max);
    if (urls.empty()) co_return std::vector<GroundedText>();
    auto pages =
        co_await fetcher.fetch_all(std::move(urls), async::Deadline::after(options.timeout));
    std::vector<async::Task<GroundedText>> reading;
    for (fetch::PageOutcome& page : pages) reading.push_back(text_of(parser, std::move(page)));
    co_return co_await async::gather(std::move(reading));
}

std::string without_addresses(std::string_view prompt) {
    std::string kept;
    std::size_t from = 0;
    for (const markup::FoundUrl& found : markup::find_urls(prompt)) {
        kept.append(prompt.substr(from, found.begin - from)).append(" ");
        from = found.end;
    }
    kept.append(prompt.substr(from));
    std::string out;
    for (const char c : kept) {
        const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

}  // namespace heddle::service
