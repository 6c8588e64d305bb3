// Puts embedded documents into a collection and ranks them for every question; run.py scores the
// rankings.
//   bench_retrieval SET FOLDER MODES      SET.documents.txt, SET.documents, SET.questions…
// MODES is a JSON object of settings by name; prints the rankings by name as
// positions, written as text.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "async/runtime.h"
#include "search/collections.h"
#include "storage/database.h"

namespace {

using namespace heddle;
using Steady = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Texts {
    std::vector<std::string> texts;
    std::vector<std::vector<float>> vectors;
};

Texts read_texts(const std::string& base) {
    Texts out;
    std::ifstream texts(base + ".txt", std::ios::binary);
    for (std::string text; std::getline(texts, text, '\0');) out.texts.push_back(text);
    std::ifstream file(base, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const std::size_t dimensions = bytes.size() / sizeof(float) / out.texts.size();
    for (std::size_t i = 0; i < out.texts.size(); ++i) {
        auto& vector = out.vectors.emplace_back(dimensions);
        std::memcpy(vector.data(), bytes.data() + i * dimensions * sizeof(float),
                    dimensions * sizeof(float));
    }
    return out;
}

search::SearchSettings settings_of(const Json& mode) {
    search::SearchSettings settings;
    settings.mmr_lambda = mode.value("mmr_lambda", 1.0);
    settings.dense = mode.value("dense", true);
    settings.keyword = mode.value("keyword", true);
    settings.dense_weight = mode.value("dense_weight", settings.dense_weight);
    settings.keyword_weight = mode.value("keyword_weight", settings.keyword_weight);
    settings.rrf_k = mode.value("rrf_k", settings.rrf_k);
    settings.candidates = mode.value("candidates", settings.candidates);
    return settings;
}

Json rank(search::Collections& collections, async::Runtime& runtime, const Texts& questions,
          const search::SearchSettings& settings) {
    Json rows = Json::array();
    for (std::size_t i = 0; i < questions.texts.size(); ++i) {
        search::VectorQuery query{.owner = "bench",
                                  .collection = "bench",
                                  .text = questions.texts[i],
                                  .vector = questions.vectors[i],
                                  .limit = 100,
                                  .settings = settings};
        Json row = Json::array();
        for (const auto& passage : runtime.run(collections.search(query)).value()) {
            row.push_back(passage.chunk.document);
        }
        rows.push_back(row);
    }
    return rows;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fputs("usage: bench_retrieval SET FOLDER MODES\n", stderr), 2;
    const Texts documents = read_texts(std::string(argv[1]) + ".documents");
    const Texts questions = read_texts(std::string(argv[1]) + ".questions");
    auto db = storage::Database::open({.location = std::string(argv[2]) + "/bench.db"}).value();
    auto collections = search::Collections::open(*db).value();
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    const search::EmbedderInfo embedder{.id = "bench", .dimensions = documents.vectors[0].size()};
    runtime.run(collections->ensure("bench", "bench", embedder)).value();
    const auto fill = [&](storage::Transaction& tx) -> Result<> {
        for (std::size_t i = 0; i < documents.texts.size(); ++i) {
            search::NewDocument document{
                .owner = "bench", .collection = "bench", .document = std::to_string(i)};
            document.chunks.push_back({.text = documents.texts[i], .vector = documents.vectors[i]});
            HEDDLE_TRY_VOID(collections->upsert_document(tx, document));
        }
        return {};
    };
    if (!db->write_blocking(fill)) return 1;
    const Json modes = Json::parse(argv[3]);
    Json out;
    const auto start = Steady::now();
    for (const auto& [name, mode] : modes.items()) {
        out["rankings"][name] = rank(*collections, runtime, questions, settings_of(mode));
    }
    const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
    out["questions_per_second"] =
        static_cast<int>(static_cast<double>(questions.texts.size() * modes.size()) / seconds);
    fmt::print("{}\n", out.dump());
    return 0;
}
