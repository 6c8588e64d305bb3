// A language model that runs in this process: its files, its tokenizer and chat template, and the
// engine that computes it. Files are mapped, so that loading takes about as long as preparing the
// weights.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "compute/dtype.h"
#include "engine/engine.h"
#include "engine/grammar/grammar_cache.h"
#include "model/generation_defaults.h"
#include "model/model_files.h"
#include "service/chat_prompt.h"
#include "text/tokenizer.h"

namespace heddle::service {

struct LocalModelOptions {
    std::string name;  // what clients call it
    std::string path;  // a Hugging Face folder or a GGUF file
    std::string backend = "cpu";
    int threads = 1;  // that compute
    // Memory for keys and values; 0: an eighth of the machine's, and no more than sixteen whole
    // contexts need.
    std::uint64_t kv_bytes = 0;
    compute::DType kv_dtype = compute::DType::kF16;
    // Longest conversation in tokens; 0: the model's own, as far as the key-value memory goes.
    std::uint32_t context_max = 0;
    std::uint32_t step_tokens = 512;   // computed in one step: the chunk budget
    std::uint32_t sequences_max = 64;  // answers generated at once
    engine::Schedule schedule = engine::Schedule::kContinuous;
    std::uint32_t static_batch = 16;  // Schedule::kStatic
    bool prefix_cache = true;
    std::uint32_t tokens_max = 0;  // of an answer that names no limit; 0: what the context holds
    engine::QueueLimits queue;
    std::string chat_template;  // in place of the model's own, when not empty
};

// Thread-safe; outlives what it hands out.
class LocalModel {
public:
    // The first thing that is wrong with the files or the options, in one line. `metrics` outlives
    // the model.
    static Result<std::shared_ptr<LocalModel>> load(LocalModelOptions options, Metrics& metrics);

    [[nodiscard]] const std::string& name() const { return options_.name; }
    [[nodiscard]] const LocalModelOptions& options() const { return options_; }
    [[nodiscard]] std::uint32_t context_tokens() const { return context_tokens_; }
    [[nodiscard]] std::uint64_t kv_bytes() const { return kv_bytes_; }
    [[nodiscard]] const text::Tokenizer& tokenizer() const { return *tokenizer_; }
    [[nodiscard]] const engine::TokenTable& tokens() const { return tokens_; }
    [[nodiscard]] const ChatPrompt& chat() const { return *chat_; }
    [[nodiscard]] const model::GenerationDefaults& defaults() const { return defaults_; }
    [[nodiscard]] engine::grammar::GrammarCache& grammars() { return grammars_; }
    [[nodiscard]] engine::Engine& engine() { return *engine_; }
    [[nodiscard]] const engine::Engine& engine() const { return *engine_; }

private:
    LocalModel(LocalModelOptions options, Metrics& metrics)
        : options_(std::move(options)), metrics_(metrics, {{"model_name", options_.name}}) {}

    Result<> read_text(const model::ModelFiles& files);
    Result<> start(std::shared_ptr<const model::ModelFiles> files);
    // Blocks that the options and the model come to.
    [[nodiscard]] Result<std::size_t> size_memory(const model::ModelConfig& config);
    [[nodiscard]] std::vector<engine::TokenId> end_ids(const model::ModelConfig& config) const;

    const LocalModelOptions options_;
    LabelledMetrics metrics_;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    engine::TokenTable tokens_;
    std::unique_ptr<const ChatPrompt> chat_;
    model::GenerationDefaults defaults_;
    engine::grammar::GrammarCache grammars_;
    std::uint32_t context_tokens_ = 0;
    std::uint64_t kv_bytes_ = 0;
    std::unique_ptr<engine::Engine> engine_;  // last: it uses the tokens and the metrics
};

}  // namespace heddle::service
