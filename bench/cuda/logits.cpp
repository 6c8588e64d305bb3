// Greedy answers of a real model folder with the logits behind each token, for comparison with
// another implementation (compare.py). Drives the device without the engine: prompts in chunks,
// mixed with the decodes of those that are ahead.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "model/device_decoder.h"

namespace heddle::bench {
namespace {

struct Answer {
    std::vector<std::int32_t> tokens;  // the prompt's, then those generated
    std::int64_t prompt = 0;
    std::int64_t computed = 0;
    std::vector<float> logits;

    [[nodiscard]] std::int64_t generated() const {
        return static_cast<std::int64_t>(tokens.size()) - prompt;
    }
};

class Driver {
public:
    // Every answer lies in the array that begins at `first` and has its own stretch of blocks.
    Driver(const LogitOptions& options, model::DeviceDecoder& decoder, const Answer* first)
        : options_(options), decoder_(decoder), first_(first) {}

    bool run(std::vector<Answer*> answers) {
        while (true) {
            std::erase_if(
                answers, [this](const Answer* a) { return a->generated() >= options_.new_tokens; });
            if (answers.empty()) return true;
            if (!step(answers)) return false;
        }
    }

private:
    bool step(const std::vector<Answer*>& answers) {
        const std::int64_t block_tokens = decoder_.options().block_tokens;
        std::vector<std::int32_t> tokens, starts{0}, contexts, tables, sample_rows;
        std::vector<HeddleCudaChoice> choices;
        std::vector<Answer*> sampled;
        const std::int64_t width = 1'024 / block_tokens;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            Answer& a = *answers[i];
            const auto room = options_.step_tokens - static_cast<std::int64_t>(tokens.size());
            const auto left = static_cast<std::int64_t>(a.tokens.size()) - a.computed;
            const std::int64_t count = std::min(left, room);
            if (count == 0) continue;
            tokens.insert(tokens.end(), a.tokens.begin() + a.computed,
                          a.tokens.begin() + a.computed + count);
            a.computed += count;
            starts.push_back(static_cast<std::int32_t>(tokens.size()));
            contexts.push_back(static_cast<std::int32_t>(a.computed));
            const auto place = static_cast<std::int32_t>(&a - first_);
            for (std::int32_t b = 0; b < width; ++b) {
                tables.push_back(place * static_cast<std::int32_t>(width) + b);
            }
            if (count != left) continue;
            sample_rows.push_back(static_cast<std::int32_t>(tokens.size()) - 1);
            HeddleCudaChoice choice{};
            choice.slot = static_cast<std::int32_t>(sampled.size());
            choice.on_host = 1;
            choices.push_back(choice);
            sampled.push_back(&a);
        }
        const HeddleCudaStep step{static_cast<std::int32_t>(tokens.size()),
                                  static_cast<std::int32_t>(contexts.size()),
                                  static_cast<std::int32_t>(sampled.size()),
                                  static_cast<std::int32_t>(width),
                                  tokens.data(),
                                  starts.data(),
                                  contexts.data(),
                                  tables.data(),
                                  sample_rows.data(),
                                  choices.data()};
        if (const Result<> sent = decoder_.submit(step); !sent) return report(sent.error());
        const auto result = decoder_.wait();
        if (!result) return report(result.error());
        const std::int64_t vocabulary = decoder_.vocabulary();
        for (std::size_t i = 0; i < sampled.size(); ++i) {
            const float* row = result->logits + static_cast<std::int64_t>(i) * vocabulary;
            Answer& a = *sampled[i];
            a.logits.insert(a.logits.end(), row, row + vocabulary);
            a.tokens.push_back(
                static_cast<std::int32_t>(std::max_element(row, row + vocabulary) - row));
        }
        return true;
    }

    static bool report(const Error& error) {
        fmt::print(stderr, "{}\n", error.message());
        return false;
    }

    const LogitOptions& options_;
    model::DeviceDecoder& decoder_;
    const Answer* first_;
};

}  // namespace

int write_logits(const LogitOptions& options) {
    auto module = compute::cuda::Module::open(options.module);
    auto files = model::ModelFiles::open(options.model);
    if (!module || !files) {
        fmt::print(stderr, "{}\n", module ? files.error().message() : module.error().message());
        return 1;
    }
    std::ifstream in(options.prompts);
    const auto prompts = nlohmann::json::parse(in);
    model::DeviceDecoderOptions setup;
    setup.rows_max = 256;
    setup.sequences_max = 64;
    setup.context_max = 1'024;
    setup.memory_fraction = 0.5;
    setup.graphs = options.graphs;
    setup.block_count = static_cast<std::int64_t>(prompts.size()) * 1'024 / setup.block_tokens;
    auto decoder = model::DeviceDecoder::load(*files, *module, setup);
    if (!decoder) {
        fmt::print(stderr, "{}\n", decoder.error().message());
        return 1;
    }
    std::vector<Answer> answers;
    for (const auto& prompt : prompts) {
        Answer answer;
        answer.tokens = prompt.get<std::vector<std::int32_t>>();
        answer.prompt = static_cast<std::int64_t>(answer.tokens.size());
        answers.push_back(std::move(answer));
    }
    Driver driver(options, **decoder, answers.data());
    std::vector<Answer*> all;
    for (Answer& answer : answers) all.push_back(&answer);
    if (options.together) {
        if (!driver.run(all)) return 1;
    } else {
        for (Answer* answer : all) {
            if (!driver.run({answer})) return 1;
        }
    }
    std::ofstream out(options.out, std::ios::binary);
    nlohmann::json generated;
    for (const Answer& answer : answers) {
        out.write(reinterpret_cast<const char*>(answer.logits.data()),
                  static_cast<std::streamsize>(answer.logits.size() * sizeof(float)));
        generated.push_back(
            std::vector<std::int32_t>(answer.tokens.begin() + answer.prompt, answer.tokens.end()));
    }
    fmt::print("{}\n", generated.dump());
    return out ? 0 : 1;
}

}  // namespace heddle::bench
