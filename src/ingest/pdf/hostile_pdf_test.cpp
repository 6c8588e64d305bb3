// Files made to break readers, and good ones damaged at random: each is read or refused with a
// reason, in bounded time, and the next one works. 40 mutations by default, 10,000 with
// HEDDLE_TEST_SCALE=full.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/random.h"
#include "ingest/parser_testing.h"
#include "ingest/pdf/pdf_testing.h"
#include "markup/eval_data_testing.h"

namespace heddle::ingest {
namespace {

using namespace std::chrono_literals;

// The reasons that a client may be told.
const std::set<std::string> kReasons = {
    "damaged",     "encrypted",     "empty",      "too_many_pages", "too_much_text",
    "too_complex", "out_of_memory", "unreadable", "too_slow",       "crashed"};

class HostilePdfTest : public testing::Test {
protected:
    void read(const std::string& name, std::string bytes) {
        const auto start = std::chrono::steady_clock::now();
        const auto document = runtime_.run(parser_.parse_bytes(std::move(bytes), "pdf"));
        const auto took = std::chrono::steady_clock::now() - start;
        longest_ = std::max(longest_, took);
        EXPECT_LT(took, 40s) << name;
        if (document) {
            ++outcomes_["read"];
            return;
        }
        ++outcomes_[document.error().reason()];
        EXPECT_TRUE(kReasons.contains(document.error().reason()))
            << name << ": " << document.error().reason() << ", " << document.error().message();
    }
    void report(std::string_view what) const {
        std::string text;
        for (const auto& [reason, count] : outcomes_) text += fmt::format(" {} {}", count, reason);
        fmt::print("{}:{}; longest {} ms\n", what, text,
                   std::chrono::duration_cast<std::chrono::milliseconds>(longest_).count());
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    Parser parser_{testing_parser_config(), runtime_.workers()};
    std::map<std::string, int> outcomes_;
    std::chrono::steady_clock::duration longest_{};
};

std::vector<std::filesystem::path> collected_files() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(markup::eval_data("pdf"))) {
        const auto extension = entry.path().extension();
        if (extension == ".pdf" || extension == ".fuzz") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

TEST_F(HostilePdfTest, EveryCollectedFileIsReadOrRefused) {
    HEDDLE_NEEDS_EVAL_DATA("pdf");
    const auto files = collected_files();
    ASSERT_GT(files.size(), 100U);
    for (const auto& path : files) read(path.filename(), markup::read_file(path));
    report("collected files");
}

// A few bytes changed, a piece cut out or doubled: what a bad disk or a bad person does.
std::string mutated(std::string bytes, Rng& rng) {
    for (std::uint64_t i = 0, n = 1 + rng.below(12); i < n && bytes.size() > 64; ++i) {
        const std::size_t at = rng.below(bytes.size() - 32);
        const std::size_t length = 1 + rng.below(32);
        switch (rng.below(4)) {
            case 0:
                bytes[at] = static_cast<char>(rng.below(256));
                break;
            case 1:
                bytes.erase(at, length);
                break;
            case 2:
                bytes.insert(at, bytes.substr(at, length));
                break;
            default:
                bytes[at] = static_cast<char>('0' + rng.below(10));
                break;
        }
    }
    return bytes;
}

TEST_F(HostilePdfTest, DamagedFilesAreReadOrRefused) {
    std::vector<std::string> seeds;
    pdf::TestPdf small{.outline = {{"One", 0}, {"Two", 1}}};
    for (int i = 0; i < 3; ++i)
        small.pages.push_back({.content = pdf::show(72, 700, 12, "The warp is held.")});
    seeds.push_back(pdf::write_pdf(small));
    if (std::filesystem::exists(markup::eval_data("pdf"))) {
        for (const auto& path : collected_files()) {
            std::string bytes = markup::read_file(path);
            if (bytes.size() < 200'000) seeds.push_back(std::move(bytes));
        }
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets variables
    const char* scale = std::getenv("HEDDLE_TEST_SCALE");
    const bool full = scale != nullptr && std::string_view(scale) == "full";
    const int count = full ? 10'000 : 40;
    const std::uint64_t seed = 20261122;
    Rng rng(seed);
    for (int i = 0; i < count; ++i)
        read(fmt::format("seed {} mutation {}", seed, i),
             mutated(seeds[rng.below(seeds.size())], rng));
    report("mutations");
}

}  // namespace
}  // namespace heddle::ingest
