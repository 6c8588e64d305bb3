// Megabytes of text that one thread turns into ids a second:
//   bench_text TEXT_FILE MODEL.gguf|TOKENIZER.json...
// The text is encoded in documents of some 4 KiB (at line ends), over and over for a second after a
// warm-up; processor time, so that a busy machine does not matter. Best of five such seconds.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "model/gguf.h"
#include "model/mapped_file.h"
#include "model/model_text.h"
#include "text/tokenizer_json.h"

namespace {

using heddle::Result;
using TokenizerPtr = std::shared_ptr<const heddle::text::Tokenizer>;

double processor_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> documents_of(const std::string& text) {
    constexpr std::size_t kBytes = 4096;
    std::vector<std::string> documents;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at + kBytes), text.size());
        documents.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return documents;
}

Result<TokenizerPtr> open_tokenizer(const std::string& path) {
    if (path.ends_with(".json")) return heddle::text::tokenizer_from_json(read(path));
    HEDDLE_TRY(auto mapped, heddle::model::MappedFile::open(path));
    HEDDLE_TRY(const auto gguf, heddle::model::GgufFile::read(std::move(mapped)));
    HEDDLE_TRY(auto vocabulary, heddle::model::read_vocabulary(gguf));
    return heddle::text::tokenizer_from_vocabulary(std::move(vocabulary));
}

void measure(const std::string& path, const std::vector<std::string>& documents) {
    const auto tokenizer = open_tokenizer(path);
    const std::string name = std::filesystem::path(path).filename().string();
    if (!tokenizer) {
        fmt::print("{:<36} {}\n", name, tokenizer.error().message());
        return;
    }
    std::size_t tokens = 0;
    std::size_t bytes = 0;
    const auto pass = [&] {
        tokens = bytes = 0;
        for (const std::string& document : documents) {
            tokens += (*tokenizer)->encode(document).size();
            bytes += document.size();
        }
    };
    pass();
    double best = 0;
    for (int round = 0; round < 5; ++round) {
        const double start = processor_time();
        std::size_t done = 0;
        double seconds = 0;
        do {
            pass();
            done += bytes;
            seconds = processor_time() - start;
        } while (seconds < 1);
        best = std::max(best, static_cast<double>(done) / seconds / 1e6);
    }
    fmt::print("{:<36} {:>7.1f} MB/s  {:>6.2f} bytes a token\n", name, best,
               static_cast<double>(bytes) / static_cast<double>(tokens));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: bench_text TEXT_FILE MODEL.gguf|TOKENIZER.json...\n");
        return 2;
    }
    const std::vector<std::string> documents = documents_of(read(argv[1]));
    for (int i = 2; i < argc; ++i) measure(argv[i], documents);
}
