#include "model/gguf.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file_testing.h"

namespace heddle::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ByteWriter head(std::uint64_t tensors, std::uint64_t metadata, std::uint32_t version = 3) {
    ByteWriter out;
    out.raw("GGUF").number(version).number(tensors).number(metadata);
    return out;
}

// The description of one F32 tensor `a` of two elements, with one field changed.
struct Info {
    std::string name = "a";
    std::uint32_t rank = 1;
    std::vector<std::uint64_t> extents = {2};
    std::uint32_t code = 0;
    std::uint64_t offset = 0;
};

std::string tensor_file(const std::vector<Info>& infos, std::size_t data_bytes) {
    ByteWriter out = head(infos.size(), 0);
    for (const Info& info : infos) {
        out.text(info.name).number(info.rank);
        for (const std::uint64_t extent : info.extents) out.number(extent);
        out.number(info.code).number(info.offset);
    }
    return out.pad_to(32).raw(std::string(data_bytes, '\1')).bytes();
}

struct BadFile {
    std::string what;
    std::string bytes;
    std::string message;
};

void PrintTo(const BadFile& file, std::ostream* out) {
    *out << file.what;
}

std::vector<BadFile> bad_files() {
    const std::uint64_t huge = ~std::uint64_t{0};
    const auto entry = [](std::uint32_t type) {
        ByteWriter out = head(0, 1);
        out.text("k").number(type);
        return out;
    };
    return {
        {"empty", "", "ends inside the magic"},
        {"wrong magic", "GGML" + std::string(20, '\0'), "not a GGUF file"},
        {"version 1", head(0, 0, 1).bytes(), "has GGUF version 1"},
        {"big-endian", head(0, 0, 0x03000000).bytes(), "big-endian"},
        {"cut counts", "GGUF" + std::string("\3\0\0\0\0", 5), "ends inside the tensor count"},
        {"2^64 tensors", head(huge, 0).bytes(), "claims 18446744073709551615 tensors"},
        {"2^64 entries", head(0, huge).bytes(), "metadata entries"},
        {"missing entry", head(0, 1).bytes(), "ends inside a metadata key"},
        {"key of 2^64", head(0, 1).number(huge).bytes(), "a metadata key claims"},
        {"empty key", head(0, 1).text("").number<std::uint32_t>(4).bytes(), "key is empty"},
        {"type 13", entry(13).bytes(), "unknown type 13"},
        {"cut value", entry(10).raw("1234").bytes(), "ends inside k"},
        {"string of 2^64", entry(8).number(huge).bytes(), "k claims"},
        {"array of arrays", entry(9).number<std::uint32_t>(9).number<std::uint64_t>(1).bytes(),
         "unsupported element type 9"},
        {"array of 2^64", entry(9).number<std::uint32_t>(4).number(huge).bytes(), "claims"},
        {"strings of 2^60", entry(9).number<std::uint32_t>(8).number(huge >> 4).bytes(), "claims"},
        {"cut string array",
         entry(9).number<std::uint32_t>(8).number<std::uint64_t>(1).number(huge).bytes(), "claims"},
        {"duplicate key", GgufBuilder().u32("k", 1).u32("k", 2).build(),
         "metadata k appears twice"},
        {"alignment 0", GgufBuilder().u32("general.alignment", 0).build(), "must lie in"},
        {"alignment 24", GgufBuilder().u32("general.alignment", 24).build(), "no power of two"},
        {"alignment text", GgufBuilder().text("general.alignment", "x").build(), "no integer"},
        {"missing tensor", head(1, 0).bytes(), "ends inside a tensor's name"},
        {"rank 0", tensor_file({{.rank = 0, .extents = {}}}, 64), "has 0 dimensions"},
        {"rank 5", tensor_file({{.rank = 5, .extents = {1, 1, 1, 1, 2}}}, 64), "has 5 dimensions"},
        {"extent 0", tensor_file({{.extents = {0}}}, 64), "an extent of 0"},
        {"extent 2^63", tensor_file({{.extents = {huge}}}, 64), "an extent of"},
        {"overflow", tensor_file({{.rank = 2, .extents = {1ULL << 32, 1ULL << 32}}}, 64),
         "too large"},
        {"unknown type", tensor_file({{.code = 99}}, 64), "type 99, which is not supported"},
        {"odd offset", tensor_file({{.offset = 4}}, 64), "not aligned"},
        {"past the end", tensor_file({{.extents = {64}}}, 64), "lies outside the file"},
        {"offset past the end", tensor_file({{.offset = 1 << 20}}, 64), "lies outside the file"},
        {"part of a block", tensor_file({{.extents = {40}, .code = 8}}, 64), "no whole q8_0"},
        {"no data", tensor_file({{}}, 0), "outside the file"},
        {"overlap", tensor_file({{.extents = {16}}, {.name = "b", .offset = 32}}, 96), "overlaps"},
        {"duplicate", tensor_file({{}, {.offset = 32}}, 96), "tensor a appears twice"},
        {"empty name", tensor_file({{.name = ""}}, 64), "name is empty"},
    };
}

class BadGguf : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadGguf, IsRefusedWithAReason) {
    const TemporaryFolder folder;
    const auto read = GgufFile::read(folder.map("bad.gguf", GetParam().bytes));
    ASSERT_FALSE(read.has_value());
    EXPECT_THAT(read.error().message(), HasSubstr(GetParam().message));
    EXPECT_THAT(read.error().message(), HasSubstr("bad.gguf"));
}

INSTANTIATE_TEST_SUITE_P(Table, BadGguf, ::testing::ValuesIn(bad_files()));

TEST(Gguf, ReadsMetadataAndTensors) {
    const TemporaryFolder folder;
    const std::string block(34, '\2');
    const auto gguf = GgufFile::read(folder.map("m.gguf", GgufBuilder()
                                                              .text("general.architecture", "llama")
                                                              .u32("llama.block_count", 7)
                                                              .f32("llama.rope.freq_base", 1e4F)
                                                              .texts("tokens", {"a", "", "bc"})
                                                              .tensor("t", {1, 32}, 8, block)
                                                              .tensor("u", {2}, 0, "12345678")
                                                              .build()));
    ASSERT_TRUE(gguf.has_value()) << gguf.error().message();
    EXPECT_EQ(gguf->text("general.architecture")->value(), "llama");
    EXPECT_EQ(gguf->integer("llama.block_count", 1, 9)->value(), 7);
    EXPECT_EQ(gguf->number("llama.rope.freq_base", 0, 1e9)->value(), 1e4);
    EXPECT_FALSE(gguf->integer("absent", 0, 1)->has_value());
    EXPECT_THAT(*gguf->texts("tokens"), ElementsAre("a", "", "bc"));
    EXPECT_THAT(gguf->integer("llama.block_count", 1, 6).error().message(),
                HasSubstr("llama.block_count is 7; it must lie in 1..6"));
    EXPECT_THAT(gguf->integer("tokens", 1, 6).error().message(), HasSubstr("no integer"));
    EXPECT_THAT(gguf->text("llama.block_count").error().message(), HasSubstr("no string"));
    const StoredTensor* tensor = gguf->tensors().find("t");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->dtype, compute::DType::kQ8_0);
    EXPECT_THAT(tensor->shape, ElementsAre(1, 32));
    EXPECT_EQ(tensor->bytes.size(), 34U);
    EXPECT_EQ(static_cast<char>(gguf->tensors().find("u")->bytes[7]), '8');
}

TEST(Gguf, ReadsNumberArraysOfAnyWidth) {
    const TemporaryFolder folder;
    ByteWriter out = head(0, 2);
    out.text("i").number<std::uint32_t>(9).number<std::uint32_t>(3).number<std::uint64_t>(2);
    out.number<std::int16_t>(-3).number<std::int16_t>(300);
    out.text("f").number<std::uint32_t>(9).number<std::uint32_t>(6).number<std::uint64_t>(1);
    out.number(0.5F);
    const auto gguf = GgufFile::read(folder.map("m.gguf", out.bytes()));
    ASSERT_TRUE(gguf.has_value()) << gguf.error().message();
    EXPECT_THAT(*gguf->integers("i"), ElementsAre(-3, 300));
    EXPECT_THAT(*gguf->numbers("f"), ElementsAre(0.5));
    EXPECT_FALSE(gguf->integers("f").has_value());
}

}  // namespace
}  // namespace heddle::model
