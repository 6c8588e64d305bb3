#include "service/local_reranker.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "async/offload.h"
#include "compute/backends.h"
#include "model/mapped_file.h"
#include "text/tokenizer_json.h"

namespace heddle::service {
namespace {

Result<std::shared_ptr<const text::Tokenizer>> load_tokenizer(const std::filesystem::path& folder) {
    HEDDLE_TRY(const std::string json,
               model::read_text_file(folder / "tokenizer.json", text::kTokenizerFileBytesMax));
    // Optional: it only names the special tokens.
    const auto config =
        model::read_text_file(folder / "tokenizer_config.json", text::kTokenizerFileBytesMax);
    return text::tokenizer_from_json(json, config ? std::string_view(*config) : std::string_view());
}

LocalRerankerOptions with_name(LocalRerankerOptions options) {
    if (!options.name.empty()) return options;
    const std::filesystem::path folder = options.folder;
    options.name = folder.filename().string();
    if (options.name.empty()) options.name = folder.parent_path().filename().string();
    return options;
}

}  // namespace

LocalReranker::LocalReranker(LocalRerankerOptions options, async::WorkerPool& workers,
                             Metrics& metrics)
    : options_(std::move(options)),
      workers_(workers),
      step_seconds_(metrics.histogram("rerank_step_seconds", "One step of the reranking model",
                                      {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1})),
      tokens_read_(metrics.counter("rerank_tokens_total", "Tokens of reranked pairs")) {}

Result<std::shared_ptr<LocalReranker>> LocalReranker::load(LocalRerankerOptions options,
                                                           async::WorkerPool& workers,
                                                           Metrics& metrics) {
    const std::filesystem::path folder = options.folder;
    auto made = std::shared_ptr<LocalReranker>(
        new LocalReranker(with_name(std::move(options)), workers, metrics));
    HEDDLE_TRY(made->tokenizer_, load_tokenizer(folder));
    HEDDLE_TRY(made->backend_, compute::make_backend("cpu", {.threads = made->options_.threads}));
    HEDDLE_TRY(made->encoder_,
               model::CrossEncoder::load(folder, *made->backend_,
                                         {.tokens_per_step = made->options_.tokens_per_step}));
    if (made->encoder_->labels() != 1) {
        return fail(ErrorCode::kInvalidArgument, "a reranker gives one score for each pair");
    }
    return made;
}

std::string_view LocalReranker::beginning(std::string_view text, std::size_t tokens) const {
    const text::Encoding encoding =
        tokenizer_->encode_with_ranges(text, {.add_special = false, .parse_special = false});
    if (encoding.ids.size() <= tokens) return text;
    return tokens == 0 ? std::string_view() : text.substr(0, encoding.ranges[tokens - 1].end);
}

LocalReranker::Pair LocalReranker::pair_of(const std::string& question,
                                           std::string_view passage) const {
    const auto most = static_cast<std::size_t>(encoder_->tokens_max());
    text::Encoding encoding = tokenizer_->encode_pair(question, passage, {.parse_special = false});
    std::size_t room = most;
    // The end of a cut text may be read as more tokens than it was within the whole.
    while (encoding.ids.size() > most && room > 0) {
        const std::size_t others =
            tokenizer_->encode_pair(question, "", {.parse_special = false}).ids.size();
        room = std::min(room - 1, most - std::min(most, others));
        encoding =
            tokenizer_->encode_pair(question, beginning(passage, room), {.parse_special = false});
    }
    Pair pair;
    const auto second = std::ranges::find(encoding.type_ids, 1);
    pair.second_segment = static_cast<std::size_t>(second - encoding.type_ids.begin());
    pair.tokens = std::move(encoding.ids);
    return pair;
}

async::Task<Result<PairScores>> LocalReranker::score_pairs(std::string question,
                                                           std::vector<std::string> passages) {
    if (turn_->waiting() >= options_.waiting_max) {
        co_return fail(Error(ErrorCode::kUnavailable, "the reranking model is busy")
                           .with_reason("server_overloaded")
                           .with_retry_after(2));
    }
    PairScores result;
    std::vector<Pair> pairs;
    const auto tokenise = [&] {
        const auto half = static_cast<std::size_t>(encoder_->tokens_max()) / 2;
        question = std::string(beginning(question, half));
        for (const std::string& passage : passages) {
            pairs.push_back(pair_of(question, passage));
            result.tokens += pairs.back().tokens.size();
        }
    };
    co_await async::offload(workers_, tokenise);
    result.scores.resize(pairs.size());
    for (std::size_t begin = 0; begin < pairs.size();) {
        std::vector<model::EncoderSequence> step;
        std::int64_t tokens = 0;
        std::size_t end = begin;
        do {
            step.push_back({pairs[end].tokens, pairs[end].second_segment});
            tokens += static_cast<std::int64_t>(pairs[end++].tokens.size());
        } while (end < pairs.size() &&
                 tokens + static_cast<std::int64_t>(pairs[end].tokens.size()) <=
                     options_.tokens_per_step);
        const auto permit = co_await turn_->acquire();
        const auto compute = [&] {
            return encoder_->score(step, std::span(result.scores).subspan(begin, end - begin));
        };
        const auto started = std::chrono::steady_clock::now();
        HEDDLE_CO_TRY_VOID(co_await async::offload(workers_, compute));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
        step_seconds_.observe(took.count());
        tokens_read_.add(static_cast<double>(tokens));
        begin = end;
    }
    co_return result;
}

async::Task<Result<std::vector<float>>> LocalReranker::score(std::string question,
                                                             std::vector<std::string> passages) {
    HEDDLE_CO_TRY(PairScores result,
                  co_await score_pairs(std::move(question), std::move(passages)));
    co_return std::move(result.scores);
}

}  // namespace heddle::service
