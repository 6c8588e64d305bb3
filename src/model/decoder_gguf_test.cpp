// The golden models once more, packed as llama.cpp's converter would pack them: names, the order
// of Llama's query and key rows, Gemma's norms, fused matrices, finished rotary tables.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compute/backends.h"
#include "compute/half.h"
#include "model/decoder.h"
#include "model/decoder_testing.h"
#include "model/golden_testing.h"
#include "model/rope_frequencies.h"

namespace heddle::model {
namespace {

std::string gguf_name(std::string name, bool gemma) {
    const std::map<std::string, std::string> outer = {
        {"model.embed_tokens.weight", "token_embd.weight"},
        {"model.norm.weight", "output_norm.weight"},
        {"lm_head.weight", "output.weight"},
    };
    if (const auto found = outer.find(name); found != outer.end()) return found->second;
    const std::vector<std::pair<std::string, std::string>> inner = {
        {"model.layers.", "blk."},
        {"self_attn.qkv_proj", "attn_qkv"},
        {"self_attn.q_proj", "attn_q"},
        {"self_attn.k_proj", "attn_k"},
        {"self_attn.v_proj", "attn_v"},
        {"self_attn.o_proj", "attn_output"},
        {"self_attn.q_norm", "attn_q_norm"},
        {"self_attn.k_norm", "attn_k_norm"},
        {"mlp.gate_up_proj", "ffn_up"},
        {"mlp.gate_proj", "ffn_gate"},
        {"mlp.up_proj", "ffn_up"},
        {"mlp.down_proj", "ffn_down"},
        {"input_layernorm", "attn_norm"},
        {"pre_feedforward_layernorm", "ffn_norm"},
        {"post_feedforward_layernorm", "post_ffw_norm"},
        {"post_attention_layernorm", gemma ? "post_attention_norm" : "ffn_norm"},
    };
    for (const auto& [from, to] : inner) {
        if (const auto at = name.find(from); at != std::string::npos) {
            name.replace(at, from.size(), to);
        }
    }
    return name;
}

// Rows i and i + half of each head come to lie side by side.
std::vector<float> interleave_heads(const std::vector<float>& values, std::int64_t head_dim,
                                    std::int64_t cols) {
    std::vector<float> out(values.size());
    const auto rows = static_cast<std::int64_t>(values.size()) / cols;
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t in_head = row % head_dim;
        const std::int64_t source = row - in_head + in_head / 2 + (in_head % 2) * (head_dim / 2);
        std::copy_n(values.begin() + source * cols, cols, out.begin() + row * cols);
    }
    return out;
}

std::string f32_bytes(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// ggml's Q8_0: for each 32 weights an fp16 scale and 32 signed bytes.
std::string q8_0_bytes(const std::vector<float>& values) {
    std::string bytes;
    for (std::size_t begin = 0; begin < values.size(); begin += 32) {
        float largest = 0;
        for (std::size_t i = 0; i < 32; ++i) {
            largest = std::max(largest, std::abs(values[begin + i]));
        }
        const float scale = largest / 127;
        const std::uint16_t half = compute::f32_to_f16(scale);
        bytes.append(reinterpret_cast<const char*>(&half), 2);
        for (std::size_t i = 0; i < 32; ++i) {
            bytes += static_cast<char>(scale > 0 ? std::lround(values[begin + i] / scale) : 0);
        }
    }
    return bytes;
}

void add_metadata(GgufBuilder& builder, const ModelConfig& config) {
    const std::string& name = config.architecture;
    const auto u32 = [&](const std::string& key, std::int64_t value) {
        builder.u32(name + "." + key, static_cast<std::uint32_t>(value));
    };
    builder.text("general.architecture", name);
    u32("embedding_length", config.hidden);
    u32("feed_forward_length", config.intermediate);
    u32("block_count", config.layers);
    u32("attention.head_count", config.heads);
    u32("attention.head_count_kv", config.kv_heads);
    u32("attention.key_length", config.head_dim);
    u32("attention.value_length", config.head_dim);
    u32("context_length", config.context);
    u32("rope.dimension_count", config.rotary_dim);
    if (config.sliding_window > 0) u32("attention.sliding_window", config.sliding_window);
    builder.f32(name + ".attention.layer_norm_rms_epsilon",
                static_cast<float>(config.norm_epsilon));
    builder.f32(name + ".rope.freq_base", static_cast<float>(config.rope_base));
    if (config.rope_scaling.kind == RopeScalingKind::kYarn) {
        builder.text(name + ".rope.scaling.type", "yarn");
        builder.f32(name + ".rope.scaling.factor", static_cast<float>(config.rope_scaling.factor));
        u32("rope.scaling.original_context_length", config.rope_scaling.original_context);
    }
}

// Llama 3.1's scaling is written as what each frequency is divided by.
void add_frequency_table(GgufBuilder& builder, const ModelConfig& config) {
    if (config.rope_scaling.kind != RopeScalingKind::kLlama3) return;
    const auto plain = unscaled_rope_frequencies(config.rotary_dim, config.rope_base).inverse;
    const auto scaled = rope_frequencies(config, config.context).inverse;
    std::vector<float> factors;
    for (std::size_t i = 0; i < plain.size(); ++i) factors.push_back(plain[i] / scaled[i]);
    builder.tensor("rope_freqs.weight", {factors.size()}, 0, f32_bytes(factors));
}

std::string gguf_of(const Golden& golden, const ModelConfig& config, bool quantised) {
    GgufBuilder builder;
    add_metadata(builder, config);
    add_frequency_table(builder, config);
    const bool gemma = config.architecture.starts_with("gemma");
    for (const auto& [name, shape] : golden.tensors) {
        std::vector<float> values = random_weights(name, shape, golden.salt);
        if (config.architecture == "llama" && (name.find("q_proj") != std::string::npos ||
                                               name.find("k_proj") != std::string::npos)) {
            values =
                interleave_heads(values, config.head_dim, shape.size() == 2 ? shape.back() : 1);
        }
        if (gemma && name.ends_with("norm.weight")) {
            for (float& value : values) value += 1;
        }
        const std::vector<std::uint64_t> extents(shape.begin(), shape.end());
        const bool as_blocks = quantised && shape.size() == 2;
        builder.tensor(gguf_name(name, gemma), extents, as_blocks ? 8 : 0,
                       as_blocks ? q8_0_bytes(values) : f32_bytes(values));
    }
    return builder.build();
}

class GgufDecoder : public ::testing::TestWithParam<std::string> {
protected:
    // The largest relative error of the prompts' first logits.
    double error_as_gguf(bool quantised) {
        const Golden golden = load_golden(GetParam());
        const auto config = parse_config_json(golden.config);
        HEDDLE_CHECK(config.has_value(), "the golden's configuration is good");
        const TemporaryFolder folder;
        const auto path = folder.write("model.gguf", gguf_of(golden, *config, quantised));
        const auto files = ModelFiles::open(path);
        EXPECT_TRUE(files.has_value()) << files.error().message();
        const auto backend = std::move(*compute::make_backend("cpu", {.threads = 1}));
        const auto decoder = Decoder::load(*files, *backend, {.rows_max = 64});
        EXPECT_TRUE(decoder.has_value()) << decoder.error().message();
        double largest = 0;
        for (std::size_t s = 0; s < golden.prompts.size(); ++s) {
            StepRunner runner(**decoder);
            const auto logits = runner.step({{0, golden.prompts[s]}}).front();
            largest = std::max(largest, relative_error(logits, golden.logits[2 * s]));
        }
        return largest;
    }
};

TEST_P(GgufDecoder, EqualsTransformers) {
    EXPECT_LT(error_as_gguf(false), 1e-4);
}
TEST_P(GgufDecoder, StaysNearItInEightBits) {
    EXPECT_LT(error_as_gguf(true), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Architectures, GgufDecoder,
                         ::testing::Values("llama", "llama_bias", "llama_llama3", "llama_yarn",
                                           "qwen3", "phi3", "gemma2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace heddle::model
