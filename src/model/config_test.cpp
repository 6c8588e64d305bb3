#include "model/config.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file_testing.h"
#include "model/rope_frequencies.h"

namespace heddle::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The fields of published configurations, as their repositories write them.
TEST(Config, ReadsLlama31) {
    const auto config = parse_config_json(R"({"architectures":["LlamaForCausalLM"],
        "attention_bias":false,"bos_token_id":128000,"eos_token_id":[128001,128008,128009],
        "hidden_act":"silu","hidden_size":4096,"intermediate_size":14336,
        "max_position_embeddings":131072,"model_type":"llama","num_attention_heads":32,
        "num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,
        "rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
        "original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,
        "tie_word_embeddings":false,"vocab_size":128256})");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->head_dim, 128);
    EXPECT_EQ(config->rope_scaling.kind, RopeScalingKind::kLlama3);
    EXPECT_EQ(config->rope_scaling.original_context, 8192);
    EXPECT_THAT(config->end_tokens, ElementsAre(128001, 128008, 128009));
    const RopeFrequencies rope = rope_frequencies(*config, 131072);
    EXPECT_FLOAT_EQ(rope.inverse.front(), 1.0F);
    EXPECT_NEAR(rope.inverse.back() * 8, 1 / std::pow(500000.0, 126.0 / 128), 1e-9);
}

TEST(Config, ReadsMistralAndItsWindow) {
    const auto config = parse_config_json(R"({"hidden_size":4096,"intermediate_size":14336,
        "max_position_embeddings":32768,"model_type":"mistral","num_attention_heads":32,
        "num_hidden_layers":2,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":10000.0,
        "sliding_window":4096,"vocab_size":32000})");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->window_of(0), 4096);
    EXPECT_EQ(config->window_of(1), 4096);
}

TEST(Config, ReadsQwen25WithItsWindowOff) {
    const auto config = parse_config_json(R"({"bos_token_id":151643,"eos_token_id":151645,
        "hidden_act":"silu","hidden_size":896,"intermediate_size":4864,
        "max_position_embeddings":32768,"max_window_layers":21,"model_type":"qwen2",
        "num_attention_heads":14,"num_hidden_layers":24,"num_key_value_heads":2,
        "rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":32768,
        "tie_word_embeddings":true,"use_sliding_window":false,"vocab_size":151936})");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->window_of(23), 0);
    EXPECT_TRUE(config->tied_embeddings);
}

TEST(Config, ReadsGemma2AndGemma3) {
    const auto second = parse_config_json(R"({"attn_logit_softcapping":50.0,
        "final_logit_softcapping":30.0,"head_dim":256,"hidden_act":"gelu_pytorch_tanh",
        "hidden_activation":"gelu_pytorch_tanh","hidden_size":2304,"intermediate_size":9216,
        "max_position_embeddings":8192,"model_type":"gemma2","num_attention_heads":8,
        "num_hidden_layers":4,"num_key_value_heads":4,"query_pre_attn_scalar":256,
        "rms_norm_eps":1e-06,"rope_theta":10000.0,"sliding_window":4096,"vocab_size":256000})");
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_THAT(second->sliding_layers, ElementsAre(true, false, true, false));
    EXPECT_EQ(second->attention_softcap, 50);
    EXPECT_TRUE(second->tied_embeddings);

    const auto third = parse_config_json(R"({"model_type":"gemma3","text_config":{
        "model_type":"gemma3_text","hidden_size":2560,"intermediate_size":10240,
        "num_attention_heads":8,"num_hidden_layers":7,"num_key_value_heads":4,"head_dim":256,
        "vocab_size":262208,"rope_scaling":{"factor":8.0,"rope_type":"linear"},
        "sliding_window":1024}})");
    ASSERT_TRUE(third.has_value()) << third.error().message();
    EXPECT_THAT(third->sliding_layers, ElementsAre(true, true, true, true, true, false, true));
    EXPECT_EQ(third->rope_base, 1e6);
    EXPECT_EQ(third->local_rope_base, 1e4);
    EXPECT_EQ(third->rope_scaling.kind, RopeScalingKind::kLinear);
}

TEST(Config, ReadsPhi3Long) {
    std::string factors = "1.0";
    for (int i = 1; i < 48; ++i) factors += ",1.5";
    const auto config = parse_config_json(R"({"hidden_size":3072,"intermediate_size":8192,
        "max_position_embeddings":131072,"model_type":"phi3","num_attention_heads":32,
        "num_hidden_layers":32,"num_key_value_heads":32,"original_max_position_embeddings":4096,
        "rms_norm_eps":1e-05,"rope_scaling":{"long_factor":[)" +
                                          factors + R"(],"short_factor":[)" + factors +
                                          R"(],"type":"longrope"},"rope_theta":10000.0,
        "sliding_window":262144,"vocab_size":32064})");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->rope_scaling.factor, 32);
    EXPECT_NEAR(rope_frequencies(*config, 131072).attention_factor, 1.1902380, 1e-6);
}

struct BadConfig {
    std::string what;
    std::string fields;  // appended to a good configuration; later fields do not override
    std::string message;
};

void PrintTo(const BadConfig& config, std::ostream* out) {
    *out << config.what;
}

class BadConfigs : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreRefusedByFieldAndRule) {
    const auto config = parse_config_json("{" + GetParam().fields + "}");
    ASSERT_FALSE(config.has_value());
    EXPECT_THAT(config.error().message(), HasSubstr(GetParam().message));
}

std::string sizes(const std::string& more, const std::string& heads = "4",
                  const std::string& hidden = "64") {
    return R"("model_type":"llama","vocab_size":32,"hidden_size":)" + hidden +
           R"(,"intermediate_size":96,"num_hidden_layers":2,"num_attention_heads":)" + heads +
           (more.empty() ? "" : "," + more);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConfigs,
    ::testing::Values(
        BadConfig{"no type", R"("vocab_size":3)", "model_type is missing"},
        BadConfig{"unknown type", R"("model_type":"rwkv")", "model_type rwkv is not supported"},
        BadConfig{"missing size", R"("model_type":"llama")", "vocab_size is missing"},
        BadConfig{"text as number", R"("model_type":"llama","vocab_size":"32")",
                  "vocab_size must be an integer"},
        BadConfig{"zero", sizes("", "0"), "num_attention_heads is 0; it must lie in"},
        BadConfig{"negative", sizes("", "4", "-64"), "hidden_size is -64"},
        BadConfig{"huge", sizes("", "4", "9223372036854775807"), "hidden_size is"},
        BadConfig{"uneven heads", sizes("", "3"), "no multiple of num_attention_heads"},
        BadConfig{"uneven groups", sizes(R"("num_key_value_heads":3)"), "no multiple of 3 key"},
        BadConfig{"more groups", sizes(R"("num_key_value_heads":8)"), "no multiple of 8 key"},
        BadConfig{"odd head", sizes(R"("head_dim":7)"), "rotary dimensions"},
        BadConfig{"epsilon", sizes(R"("rms_norm_eps":5)"), "rms_norm_eps is 5"},
        BadConfig{"activation", sizes(R"("hidden_act":"snake")"), "snake is not supported"},
        BadConfig{"scaling kind", sizes(R"("rope_scaling":{"type":"mystery"})"),
                  "rope_type mystery is not supported"},
        BadConfig{"scaling factor", sizes(R"("rope_scaling":{"type":"linear"})"),
                  "lacks its factor"},
        BadConfig{"scaling list", sizes(R"("rope_scaling":[])"), "rope_scaling must be an object"},
        BadConfig{"longrope",
                  sizes(R"("rope_scaling":{"type":"longrope","short_factor":[1],)"
                        R"("long_factor":[1]})"),
                  "longrope needs 8 short and long factors"},
        BadConfig{"llama3 ramp",
                  sizes(R"("rope_scaling":{"type":"llama3","factor":8,"low_freq_factor":4,)"
                        R"("high_freq_factor":4})"),
                  "high_freq_factor must exceed"},
        BadConfig{"end token", sizes(R"("eos_token_id":32)"), "end token lies outside"},
        BadConfig{"layer types", sizes(R"("sliding_window":8,"layer_types":["full_attention"])"),
                  "layer_types has 1 entries for 2 layers"},
        BadConfig{"layer kind", sizes(R"("sliding_window":8,"layer_types":["linear"])"),
                  "layer_types linear is not supported"}));

TEST(Config, RefusesWhatIsNoObject) {
    EXPECT_FALSE(parse_config_json("").has_value());
    EXPECT_FALSE(parse_config_json("[]").has_value());
    EXPECT_FALSE(parse_config_json(std::string(1 << 16, '[')).has_value());
}

TEST(Config, LetsGenerationConfigNameTheEndTokens) {
    const TemporaryFolder folder;
    folder.write("config.json", "{" + sizes(R"("eos_token_id":2)") + "}");
    folder.write("generation_config.json", R"({"eos_token_id":[3,4]})");
    const auto config = load_folder_config(folder.path());
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_THAT(config->end_tokens, ElementsAre(3, 4));
}

GgufBuilder gguf_llama() {
    GgufBuilder builder;
    builder.text("general.architecture", "llama")
        .u32("llama.embedding_length", 64)
        .u32("llama.feed_forward_length", 96)
        .u32("llama.block_count", 2)
        .u32("llama.attention.head_count", 4)
        .u32("llama.context_length", 128)
        .tensor("token_embd.weight", {32, 64}, 0, std::string(32 * 64 * 4, '\0'));
    return builder;
}

TEST(Config, ReadsGgufMetadata) {
    const TemporaryFolder folder;
    auto builder = gguf_llama();
    builder.u32("llama.attention.head_count_kv", 2)
        .f32("llama.rope.freq_base", 5e5F)
        .u32("tokenizer.ggml.eos_token_id", 2)
        .u32("tokenizer.ggml.eot_token_id", 5)
        .tensor("rope_freqs.weight", {8}, 0, std::string(32, '\x3f'));
    const auto gguf = GgufFile::read(folder.map("m.gguf", builder.build()));
    ASSERT_TRUE(gguf.has_value()) << gguf.error().message();
    const auto config = parse_gguf_config(*gguf);
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->vocabulary, 32);
    EXPECT_EQ(config->kv_heads, 2);
    EXPECT_EQ(config->rope_base, 5e5);
    EXPECT_TRUE(config->tied_embeddings);
    EXPECT_THAT(config->end_tokens, ElementsAre(2, 5));
    EXPECT_EQ(config->rope_scaling.kind, RopeScalingKind::kLongRope);
}

TEST(Config, RefusesBadGgufMetadata) {
    const TemporaryFolder folder;
    const auto error_of = [&](const GgufBuilder& builder) {
        const auto gguf = GgufFile::read(folder.map("m.gguf", builder.build()));
        const auto config = parse_gguf_config(*gguf);
        return config ? std::string("none") : config.error().message();
    };
    EXPECT_THAT(error_of(GgufBuilder()), HasSubstr("general.architecture is missing"));
    EXPECT_THAT(error_of(GgufBuilder().text("general.architecture", "rwkv")),
                HasSubstr("rwkv is not supported"));
    EXPECT_THAT(error_of(GgufBuilder().text("general.architecture", "llama")),
                HasSubstr("token_embd.weight is missing"));
    EXPECT_THAT(error_of(gguf_llama().u32("llama.attention.head_count_kv", 3)),
                HasSubstr("no multiple of 3 key"));
    EXPECT_THAT(error_of(gguf_llama().text("llama.rope.scaling.type", "mystery")),
                HasSubstr("mystery is not supported"));
    EXPECT_THAT(error_of(gguf_llama().tensor("rope_freqs.weight", {4}, 0, std::string(16, '\0'))),
                HasSubstr("must hold 8 F32 factors"));
}

}  // namespace
}  // namespace heddle::model
