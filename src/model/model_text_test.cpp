#include "model/model_text.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/golden_testing.h"
#include "model/model_file_testing.h"

namespace heddle::model {
namespace {

using ::testing::HasSubstr;

GgufBuilder gguf_with_vocabulary() {
    GgufBuilder builder;
    builder.text("general.architecture", "llama")
        .u32("llama.embedding_length", 8)
        .u32("llama.feed_forward_length", 8)
        .u32("llama.block_count", 1)
        .u32("llama.attention.head_count", 1)
        .u32("llama.context_length", 16)
        .text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "ab"})
        .u32("tokenizer.ggml.bos_token_id", 1)
        .u32("tokenizer.ggml.eos_token_id", 2)
        .u32("tokenizer.ggml.unknown_token_id", 0)
        .text("tokenizer.chat_template", "{{ messages }}")
        .tensor("token_embd.weight", {7, 8}, 0, std::string(7 * 8 * 4, '\0'));
    return builder;
}

TEST(ModelText, ReadsTheVocabularyOfGguf) {
    const TemporaryFolder folder;
    const auto gguf = GgufFile::read(folder.map("m.gguf", gguf_with_vocabulary().build()));
    ASSERT_TRUE(gguf.has_value()) << gguf.error().message();
    const auto data = read_vocabulary(*gguf);
    ASSERT_TRUE(data.has_value()) << data.error().message();
    EXPECT_EQ(data->model, "llama");
    EXPECT_EQ(data->tokens.size(), 7U);
    EXPECT_EQ(data->bos, 1);
    EXPECT_EQ(data->eos, 2);
    EXPECT_FALSE(data->padding.has_value());
    EXPECT_TRUE(data->scores.empty());
}

TEST(ModelText, RefusesAVocabularyOfOtherTypes) {
    const TemporaryFolder folder;
    const auto error_of = [&](const GgufBuilder& builder) {
        const auto gguf = GgufFile::read(folder.map("m.gguf", builder.build()));
        const auto data = read_vocabulary(*gguf);
        return data ? std::string("none") : data.error().message();
    };
    EXPECT_THAT(error_of(GgufBuilder()), HasSubstr("tokenizer.ggml.model is missing"));
    EXPECT_THAT(
        error_of(
            GgufBuilder().text("tokenizer.ggml.model", "llama").text("tokenizer.ggml.tokens", "a")),
        HasSubstr("tokenizer.ggml.tokens is no array of strings"));
    EXPECT_THAT(error_of(GgufBuilder()
                             .text("tokenizer.ggml.model", "llama")
                             .u32("tokenizer.ggml.bos_token_id", 0xFFFFFFFF)),
                HasSubstr("bos_token_id is 4294967295"));
}

TEST(ModelText, FindsTheChatTemplateOfGguf) {
    const TemporaryFolder folder;
    const auto files = ModelFiles::open(folder.write("m.gguf", gguf_with_vocabulary().build()));
    ASSERT_TRUE(files.has_value()) << files.error().message();
    EXPECT_EQ((*files)->format(), FileFormat::kGguf);
    EXPECT_EQ(load_chat_template(**files)->plain, "{{ messages }}");
}

class ChatTemplateFolder : public ::testing::Test {
protected:
    void SetUp() override {
        write_model(load_golden("llama"), folder_);
        auto files = ModelFiles::open(folder_.path());
        ASSERT_TRUE(files.has_value()) << files.error().message();
        files_ = *files;
    }

    TemporaryFolder folder_;
    std::shared_ptr<const ModelFiles> files_;
};

TEST_F(ChatTemplateFolder, MayHaveNone) {
    EXPECT_EQ(load_chat_template(*files_)->plain, "");
    EXPECT_EQ(load_tokenizer(*files_).error().code(), ErrorCode::kNotFound);
}

TEST_F(ChatTemplateFolder, ReadsOneText) {
    folder_.write("tokenizer_config.json", R"({"chat_template":"{{ a }}"})");
    EXPECT_EQ(load_chat_template(*files_)->plain, "{{ a }}");
    folder_.write("chat_template.jinja", "{{ own file }}");
    EXPECT_EQ(load_chat_template(*files_)->plain, "{{ own file }}");
}

TEST_F(ChatTemplateFolder, ReadsSeveralByName) {
    folder_.write("tokenizer_config.json",
                  R"({"chat_template":[{"name":"default","template":"d"},
                      {"name":"tool_use","template":"t"},{"name":"rag","template":"r"}]})");
    const auto templates = load_chat_template(*files_);
    ASSERT_TRUE(templates.has_value());
    EXPECT_EQ(templates->plain, "d");
    EXPECT_EQ(templates->tools, "t");
}

TEST_F(ChatTemplateFolder, RefusesWhatIsNoTemplate) {
    folder_.write("tokenizer_config.json", R"({"chat_template":3})");
    EXPECT_THAT(load_chat_template(*files_).error().message(), HasSubstr("must be a text"));
    folder_.write("tokenizer_config.json", R"({"chat_template":[3]})");
    EXPECT_THAT(load_chat_template(*files_).error().message(), HasSubstr("must list names"));
    folder_.write("tokenizer_config.json", "[");
    EXPECT_THAT(load_chat_template(*files_).error().message(), HasSubstr("valid JSON object"));
}

}  // namespace
}  // namespace heddle::model
