// The child of document_crash_test: document_crash_testing FOLDER SEED. Uploads and deletes
// documents, and says on standard output what it was told to be done, until it is killed.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/random.h"
#include "ingest/pdf/pdf_testing.h"
#include "service/document_house_testing.h"

namespace heddle::service {
namespace {

// Takes its time, so that a kill may fall between two batches.
class SlowEmbedder final : public search::Embedder {
public:
    [[nodiscard]] const search::EmbedderInfo& info() const override { return words_.info(); }
    [[nodiscard]] std::size_t count_tokens(std::string_view text) const override {
        return words_.count_tokens(text);
    }
    async::Task<Result<std::vector<std::vector<float>>>> embed(
        std::vector<std::string> texts, search::EmbedPurpose purpose) override {
        co_await async::sleep_for(std::chrono::milliseconds(2));
        co_return co_await words_.embed(std::move(texts), purpose);
    }

private:
    search::WordEmbedder words_;
};

// A line in one write: either all of it was said, or none.
void say(std::string_view verb, std::string_view id) {
    const std::string line = fmt::format("{} {}\n", verb, id);
    (void)!write(1, line.data(), line.size());
}

// A few pages; the word `name` stands on each of them and nowhere else.
std::string make_document(const std::string& name, Rng& rng) {
    ingest::pdf::TestPdf pdf;
    const std::uint64_t pages = 1 + rng.below(4);
    for (std::uint64_t page = 0; page < pages; ++page) {
        std::string content;
        for (int line = 0; line < 20; ++line)
            content += ingest::pdf::show(72, 720.0F - 14.0F * static_cast<float>(line), 11,
                                         fmt::format("{} line {} of page {}.", name, line, page));
        pdf.pages.push_back({.content = content});
    }
    return ingest::pdf::write_pdf(pdf);
}

void live(const std::string& folder, std::uint64_t seed) {
    DocumentHouse::Options options{.embedder = std::make_shared<SlowEmbedder>()};
    options.config.embed_batch = 2;
    DocumentHouse house(folder, options);
    Rng rng(seed);
    std::vector<std::string> ids;
    for (;;) {
        if (rng.below(3) > 0 || ids.empty()) {
            const std::string name = fmt::format("word{:x}", rng());
            const auto outcome = house.upload("anna", name + ".pdf", make_document(name, rng));
            if (!outcome) continue;
            say("uploaded", outcome->document.id);
            ids.push_back(outcome->document.id);
            continue;
        }
        const std::size_t which = rng.below(ids.size());
        say("deleting", ids[which]);
        if (house.runtime().run(house.library().remove("anna", ids[which])))
            say("deleted", ids[which]);
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(which));
    }
}

}  // namespace
}  // namespace heddle::service

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string_view number = argv[2];
    std::uint64_t seed = 0;
    std::from_chars(number.data(), number.data() + number.size(), seed);
    heddle::service::live(argv[1], seed);
}
