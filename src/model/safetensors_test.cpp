#include "model/safetensors.h"

#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file_testing.h"

namespace heddle::model {
namespace {

using ::testing::HasSubstr;

std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                  std::string_view offsets) {
    return "\"" + std::string(name) + R"(":{"dtype":")" + std::string(dtype) + R"(","shape":)" +
           std::string(shape) + R"(,"data_offsets":)" + std::string(offsets) + "}";
}

const std::string kEightBytes(8, '\1');

struct BadFile {
    std::string what;
    std::string bytes;
    std::string message;
};

void PrintTo(const BadFile& file, std::ostream* out) {
    *out << file.what;
}

std::vector<BadFile> bad_files() {
    const auto with = [](const std::string& fields, const std::string& data = kEightBytes) {
        return safetensors_bytes("{" + fields + "}", data);
    };
    return {
        {"empty", "", "shorter than its length field"},
        {"seven bytes", "\x02\0\0\0\0\0\0", "shorter than its length field"},
        {"zero header", std::string(8, '\0'), "the header is empty"},
        {"header past the end", ByteWriter().number<std::uint64_t>(64).raw("{}").bytes(),
         "the header lies outside the file"},
        {"header of 2^63", ByteWriter().number(std::uint64_t{1} << 63).raw("{}").bytes(),
         "over the limit"},
        {"header of 2^64-1", ByteWriter().number(~std::uint64_t{0}).raw("{}").bytes(),
         "over the limit"},
        {"no object", safetensors_bytes("[]", ""), "not a JSON object"},
        {"cut JSON", safetensors_bytes("{\"a\":", ""), "not valid JSON"},
        {"bytes after the object", safetensors_bytes("{}x", ""), "not valid JSON"},
        {"deep nesting",
         safetensors_bytes("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}", ""),
         "not valid JSON"},
        {"entry is a number", with("\"a\":3"), "tensor a: is not described by an object"},
        {"empty name", with(entry("", "F32", "[2]", "[0,8]")), "name is empty"},
        {"long name", with(entry(std::string(2000, 'n'), "F32", "[2]", "[0,8]")), "over 1024"},
        {"no dtype", with(R"("a":{"shape":[2],"data_offsets":[0,8]})"), "dtype is missing"},
        {"unknown dtype", with(entry("a", "F12", "[2]", "[0,8]")), "dtype F12 is unknown"},
        {"no shape", with(R"("a":{"dtype":"F32","data_offsets":[0,8]})"), "shape is missing"},
        {"negative extent", with(entry("a", "F32", "[-2]", "[0,8]")), "no count"},
        {"fractional extent", with(entry("a", "F32", "[2.5]", "[0,8]")), "no count"},
        {"nine dimensions", with(entry("a", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]")),
         "more than 8 dimensions"},
        {"overflowing shape", with(entry("a", "F32", "[4294967296,4294967296]", "[0,8]")),
         "shape is too large"},
        {"overflowing bytes", with(entry("a", "F32", "[4611686018427387904]", "[0,0]")), "shape"},
        {"no offsets", with(R"("a":{"dtype":"F32","shape":[2]})"), "data_offsets"},
        {"three offsets", with(entry("a", "F32", "[2]", "[0,4,8]")), "not two counts"},
        {"negative offset", with(entry("a", "F32", "[2]", "[-8,0]")), "not two counts"},
        {"reversed offsets", with(entry("a", "F32", "[2]", "[8,0]")), "end before they begin"},
        {"range and shape differ", with(entry("a", "F32", "[3]", "[0,8]")),
         "shape [3] takes 12 bytes, data_offsets span 8"},
        {"data past the end", with(entry("a", "F32", "[4]", "[0,16]")), "outside the file"},
        {"overlap",
         with(entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[2]", "[0,8]")),
         "overlaps"},
        {"gap", with(entry("a", "F32", "[1]", "[4,8]")), "leaves a gap"},
        {"bytes at the end", with(entry("a", "F32", "[1]", "[0,4]")), "follow the last tensor"},
        {"duplicate name",
         with(entry("a", "F32", "[1]", "[0,4]") + "," + entry("a", "F32", "[1]", "[4,8]")),
         "tensor a appears twice"},
    };
}

class BadSafetensors : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedWithAReason) {
    const TemporaryFolder folder;
    StoredTensors tensors;
    const auto read = read_safetensors(folder.map("bad.safetensors", GetParam().bytes), tensors);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message(), HasSubstr(GetParam().message));
    EXPECT_THAT(read.error().message(), HasSubstr("bad.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(Table, BadSafetensors, ::testing::ValuesIn(bad_files()));

TEST(Safetensors, ReadsTensorsInPlace) {
    const TemporaryFolder folder;
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    const std::string data(reinterpret_cast<const char*>(values.data()), 24);
    const auto file = folder.map("model.safetensors",
                                 safetensors_bytes(R"({"__metadata__":{"format":"pt"},)" +
                                                       entry("b", "F32", "[2,2]", "[8,24]") + "," +
                                                       entry("a", "F32", "[2]", "[0,8]") + "}   ",
                                                   data));
    StoredTensors tensors;
    ASSERT_TRUE(read_safetensors(file, tensors).has_value());
    const StoredTensor* tensor = tensors.find("b");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 2}));
    float first = 0;
    std::memcpy(&first, tensor->bytes.data(), 4);
    EXPECT_EQ(first, 3.0F);
    EXPECT_GE(tensor->bytes.data(), file->bytes().data());
    EXPECT_EQ(tensors.byte_count(), 24U);
    EXPECT_FALSE(tensors.require("b", std::vector<std::int64_t>{4}).has_value());
}

TEST(Safetensors, FollowsAnIndexOfShards) {
    const TemporaryFolder folder;
    folder.write("one.safetensors",
                 safetensors_bytes("{" + entry("a", "F32", "[2]", "[0,8]") + "}", kEightBytes));
    folder.write("two.safetensors",
                 safetensors_bytes("{" + entry("b", "F16", "[4]", "[0,8]") + "}", kEightBytes));
    folder.write("model.safetensors.index.json",
                 R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
    const auto tensors = load_safetensors_folder(folder.path());
    ASSERT_TRUE(tensors.has_value()) << tensors.error().message();
    EXPECT_EQ(tensors->count(), 2U);
}

TEST(Safetensors, RefusesIndexesThatLie) {
    struct Case {
        std::string index;
        std::string message;
    };
    const std::vector<Case> cases = {
        {"{", "no valid weight_map"},
        {R"({"weight_map":[]})", "no valid weight_map"},
        {R"({"weight_map":{}})", "names no shard"},
        {R"({"weight_map":{"a":"../one.safetensors"}})", "no plain file name"},
        {R"({"weight_map":{"a":"/etc/passwd"}})", "no plain file name"},
        {R"({"weight_map":{"a":3}})", "no plain file name"},
        {R"({"weight_map":{"a":"gone.safetensors"}})", "no such file"},
        {R"({"weight_map":{"a":"one.safetensors","c":"one.safetensors"}})",
         "tensor c is not in one.safetensors"},
        {R"({"weight_map":{"a":"one.safetensors","b":"same.safetensors"}})", "appears twice"},
        {R"({"weight_map":{"a":"one.safetensors","a":"one.safetensors"}})", "appears twice"},
    };
    const std::string shard =
        safetensors_bytes("{" + entry("a", "F32", "[2]", "[0,8]") + "}", kEightBytes);
    for (const Case& c : cases) {
        const TemporaryFolder folder;
        folder.write("one.safetensors", shard);
        folder.write("same.safetensors", shard);
        folder.write("model.safetensors.index.json", c.index);
        const auto tensors = load_safetensors_folder(folder.path());
        ASSERT_FALSE(tensors.has_value()) << c.index;
        EXPECT_THAT(tensors.error().message(), HasSubstr(c.message)) << c.index;
    }
}

TEST(MappedFile, RefusesWhatIsNoFile) {
    const TemporaryFolder folder;
    EXPECT_EQ(MappedFile::open(folder.path()).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(MappedFile::open(folder.path() / "none").error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace heddle::model
