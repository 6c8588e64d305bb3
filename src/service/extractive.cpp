#include "service/extractive.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "service/content_words.h"

namespace heddle::service {
namespace {

constexpr std::string_view kNothingFound =
    "Nothing in the documents or pages speaks about this question.";
constexpr std::string_view kNoModel =
    "No language model is loaded, so there is nobody to talk to yet: I can only quote from "
    "documents "
    "and web pages. Upload a PDF or put a web address into the question.";

double dot(const std::vector<float>& a, const std::vector<float>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Share of the shorter one's words that the other holds too. A heading of one or two words says
// nothing about what follows it, so it repeats only another heading.
double overlap(const std::string& a, const std::string& b) {
    constexpr std::size_t kHeadingWords = 2;
    const auto words_of = [](const std::string& text) {
        std::vector<std::string> words = content_words(text);
        return std::unordered_set<std::string>(words.begin(), words.end());
    };
    const auto left = words_of(a);
    const auto right = words_of(b);
    const auto shared = std::count_if(left.begin(), left.end(),
                                      [&](const std::string& w) { return right.contains(w); });
    const auto [shorter, longer] = std::minmax(left.size(), right.size());
    if (shorter <= kHeadingWords && longer > kHeadingWords) return 0.0;
    return shorter == 0 ? 1.0 : static_cast<double>(shared) / static_cast<double>(shorter);
}

std::vector<RankedSentence> without_repeats(std::vector<RankedSentence> sentences, std::size_t most,
                                            double overlap_max) {
    std::vector<RankedSentence> kept;
    for (RankedSentence& sentence : sentences) {
        if (kept.size() == most) break;
        const bool repeats = std::any_of(kept.begin(), kept.end(), [&](const RankedSentence& k) {
            return overlap(k.sentence, sentence.sentence) > overlap_max;
        });
        if (!repeats) kept.push_back(std::move(sentence));
    }
    return kept;
}

std::string quoted(const RankedSentence& sentence, const Source& source) {
    std::string text = sentence.sentence;
    std::replace(text.begin(), text.end(), '"', '\'');
    std::string where;
    if (sentence.page && source.kind == SourceKind::kDocument)
        where = fmt::format(" (page {})", *sentence.page);
    return fmt::format("> \"{}\" [{}]{}\n\n", text, source.n, where);
}

// Words as these readers count them; the extractive generator has no tokens.
std::uint64_t words_in(std::string_view text) {
    std::uint64_t words = 0;
    bool inside = false;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n' || c == '\t';
        words += !space && !inside ? 1 : 0;
        inside = !space;
    }
    return words;
}

Result<> refuse_what_needs_a_model(const GenerateRequest& request) {
    const SamplingOptions& sampling = request.sampling;
    const std::pair<bool, const char*> unfit[] = {
        {sampling.answers != 1 || request.prompts.size() > 1, "n"},
        {request.tool_use.offered(), "tools"},
        {request.constraint.any(), "response_format"},
        {sampling.logprobs, "logprobs"},
        {!sampling.logit_bias.empty(), "logit_bias"},
        {request.echo, "echo"},
    };
    for (const auto& [asked, name] : unfit) {
        if (!asked) continue;
        return fail(Error(ErrorCode::kInvalidArgument,
                          fmt::format("`{}` needs a language model; this one quotes", name))
                        .with_param(name)
                        .with_reason("unsupported_parameter"));
    }
    return {};
}

}  // namespace

ExtractiveGenerator::ExtractiveGenerator(std::shared_ptr<search::Embedder> embedder,
                                         async::WorkerPool& workers, ExtractiveOptions options)
    : embedder_(std::move(embedder)), workers_(workers), options_(options) {}

std::vector<ModelInfo> ExtractiveGenerator::models() const {
    return {{.id = std::string(kExtractiveModel), .owned_by = "heddle"}};
}

std::uint32_t ExtractiveGenerator::count_tokens(const std::string&, std::string_view text) const {
    return static_cast<std::uint32_t>(words_in(text));
}

async::Task<Result<>> ExtractiveGenerator::weigh_by_meaning(
    std::string question, std::vector<RankedSentence>& sentences) const {
    std::vector<std::string> inputs{std::move(question)};
    for (const RankedSentence& sentence : sentences) {
        // Longer than the model reads: its words must do.
        const bool fits =
            embedder_->count_tokens(sentence.sentence) + embedder_->info().tokens_added <=
            embedder_->info().tokens_max;
        inputs.push_back(fits ? sentence.sentence : std::string("-"));
    }
    HEDDLE_CO_TRY(const std::vector<std::vector<float>> vectors,
                  co_await embedder_->embed(std::move(inputs), search::EmbedPurpose::kQuery));
    for (std::size_t i = 0; i < sentences.size(); ++i) {
        const double cosine = std::max(0.0, dot(vectors[0], vectors[i + 1]));
        const double meaning = sentences[i].only_repeats ? kRepeatFactor * cosine : cosine;
        sentences[i].score = 0.4 * sentences[i].score + 0.6 * meaning;
    }
    std::stable_sort(sentences.begin(), sentences.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    co_return Result<>();
}

async::Task<Result<std::vector<RankedSentence>>> ExtractiveGenerator::quotes(
    Grounding grounding) const {
    const auto rank = [&] {
        return rank_sentences(grounding.question, grounding.texts, kSentencesRead);
    };
    std::vector<RankedSentence> all = co_await async::offload(workers_, rank);
    // The best by words, then the best of every source that has none among them.
    std::vector<RankedSentence> chosen;
    std::unordered_set<std::size_t> seen;
    for (RankedSentence& sentence : all) {
        const bool first_of_source = seen.insert(sentence.text).second;
        const std::size_t room = first_of_source ? options_.candidates_max + grounding.texts.size()
                                                 : options_.candidates_max;
        if (chosen.size() < room) chosen.push_back(std::move(sentence));
    }
    double score_min = options_.words_min;
    if (embedder_ && !chosen.empty()) {
        HEDDLE_CO_TRY_VOID(co_await weigh_by_meaning(grounding.question, chosen));
        score_min = options_.score_min;
    }
    std::erase_if(chosen, [&](const RankedSentence& s) { return s.score < score_min; });
    co_return without_repeats(std::move(chosen), options_.quotes_max, options_.overlap_max);
}

async::Task<Result<Completion>> ExtractiveGenerator::generate(GenerateRequest request,
                                                              std::shared_ptr<TextStream> out) {
    HEDDLE_CO_TRY_VOID(refuse_what_needs_a_model(request));
    Completion completion;
    for (const Message& message : request.messages)
        completion.usage.prompt_tokens += words_in(message.content);
    std::vector<std::string> pieces;
    if (!request.grounding) {
        pieces.emplace_back(kNoModel);
    } else {
        HEDDLE_CO_TRY(const std::vector<RankedSentence> found, co_await quotes(*request.grounding));
        if (found.empty()) pieces.emplace_back(kNothingFound);
        for (const RankedSentence& sentence : found)
            pieces.push_back(quoted(sentence, request.grounding->texts[sentence.text].source));
        if (!pieces.empty() && pieces.back().ends_with("\n\n"))
            pieces.back().resize(pieces.back().size() - 2);
    }
    for (std::string& piece : pieces) {
        completion.usage.completion_tokens += words_in(piece);
        if (!co_await out->push({.text = std::move(piece)}))
            co_return fail(ErrorCode::kCancelled, "the reader has gone");
    }
    co_return completion;
}

}  // namespace heddle::service
