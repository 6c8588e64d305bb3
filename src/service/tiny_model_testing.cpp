#include "service/tiny_model_testing.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/check.h"
#include "model/golden_testing.h"

namespace heddle::service {
namespace {

constexpr std::string_view kConfig =
    R"({{"model_type": "llama", "vocab_size": {}, "hidden_size": 32,
  "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
  "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 512,
  "rms_norm_eps": 1e-06, "tie_word_embeddings": true, "bos_token_id": {}, "eos_token_id": {}}})";

constexpr std::string_view kChatMl =
    R"({"eos_token": "<|im_end|>", "chat_template": ")"
    R"({% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %})"
    R"({% if tools %}<tool_call>{{ tools | tojson }}{% endif %})"
    R"({% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"})";

std::string tokenizer_json(const char* name) {
    std::ifstream file(std::string(HEDDLE_SOURCE_DIR) + "/tests/golden/text/" + name +
                       ".tokenizer.json");
    std::stringstream text;
    text << file.rdbuf();
    HEDDLE_CHECK(file.good(), "the golden tokenizers are in the tree");
    return std::move(text).str();
}

model::Golden llama(std::int64_t vocabulary, int bos, int eos) {
    model::Golden golden;
    golden.config = fmt::format(fmt::runtime(kConfig), vocabulary, bos, eos);
    golden.tensors = {{"model.embed_tokens.weight", {vocabulary, 32}}, {"model.norm.weight", {32}}};
    for (int layer = 0; layer < 2; ++layer) {
        const std::string at = fmt::format("model.layers.{}.", layer);
        golden.tensors.push_back({at + "input_layernorm.weight", {32}});
        golden.tensors.push_back({at + "post_attention_layernorm.weight", {32}});
        golden.tensors.push_back({at + "self_attn.q_proj.weight", {32, 32}});
        golden.tensors.push_back({at + "self_attn.k_proj.weight", {16, 32}});
        golden.tensors.push_back({at + "self_attn.v_proj.weight", {16, 32}});
        golden.tensors.push_back({at + "self_attn.o_proj.weight", {32, 32}});
        golden.tensors.push_back({at + "mlp.gate_proj.weight", {48, 32}});
        golden.tensors.push_back({at + "mlp.up_proj.weight", {48, 32}});
        golden.tensors.push_back({at + "mlp.down_proj.weight", {32, 48}});
    }
    return golden;
}

}  // namespace

TinyModel::TinyModel(TinyTokenizer tokenizer) {
    if (tokenizer == TinyTokenizer::kByteLevel) {
        model::write_model(llama(704, 0, 701), folder_);
        folder_.write("tokenizer.json", tokenizer_json("gpt2"));
        folder_.write("tokenizer_config.json", kChatMl);
    } else {
        model::write_model(llama(900, 1, 2), folder_);
        folder_.write("tokenizer.json", tokenizer_json("llama2"));
    }
}

LocalModelOptions TinyModel::options() const {
    LocalModelOptions options;
    options.name = "tiny";
    options.path = folder_.path().string();
    options.kv_bytes = std::uint64_t{1} << 20;
    options.step_tokens = 64;
    options.sequences_max = 8;
    return options;
}

std::shared_ptr<LocalModel> TinyModel::load(const LocalModelOptions& options) const {
    auto loaded = LocalModel::load(options, Metrics::none());
    HEDDLE_CHECK(loaded.has_value(), "a tiny model loads");
    return *loaded;
}

}  // namespace heddle::service
