#include "text/gguf_testing.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::text {
namespace {

// The types of metadata values.
enum Type : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64 };

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    T take() {
        T value{};
        if (bytes_.size() < sizeof(T)) {
            ADD_FAILURE() << "a GGUF file ends early";
            bytes_ = {};
            return value;
        }
        std::memcpy(&value, bytes_.data(), sizeof(T));
        bytes_.remove_prefix(sizeof(T));
        return value;
    }

    std::string take_string() {
        const auto size = take<std::uint64_t>();
        std::string text(bytes_.substr(0, size));
        bytes_.remove_prefix(text.size());
        return text;
    }

    std::int64_t take_integer(std::uint32_t type) {
        switch (type) {
            case kU8:
            case kBool:
                return take<std::uint8_t>();
            case kI8:
                return take<std::int8_t>();
            case kU16:
                return take<std::uint16_t>();
            case kI16:
                return take<std::int16_t>();
            case kU32:
                return take<std::uint32_t>();
            case kI32:
                return take<std::int32_t>();
            case kF32:
                return static_cast<std::int64_t>(take<float>());
            default:
                return take<std::int64_t>();
        }
    }

private:
    std::string_view bytes_;
};

struct Metadata {
    std::map<std::string, std::int64_t> numbers;
    std::map<std::string, std::string> strings;
    std::map<std::string, std::vector<std::string>> string_lists;
    std::map<std::string, std::vector<float>> float_lists;
    std::map<std::string, std::vector<std::int64_t>> number_lists;
};

void take_array(Reader& reader, const std::string& key, Metadata& metadata) {
    const auto type = reader.take<std::uint32_t>();
    const auto count = reader.take<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && !testing::Test::HasFailure(); ++i) {
        if (type == kString) {
            metadata.string_lists[key].push_back(reader.take_string());
        } else if (type == kF32) {
            metadata.float_lists[key].push_back(reader.take<float>());
        } else {
            metadata.number_lists[key].push_back(reader.take_integer(type));
        }
    }
}

Metadata read_metadata(std::string_view bytes) {
    Reader reader(bytes);
    Metadata metadata;
    EXPECT_EQ(reader.take<std::uint32_t>(), 0x46554747u);  // "GGUF"
    reader.take<std::uint32_t>();
    reader.take<std::uint64_t>();
    const auto count = reader.take<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && !testing::Test::HasFailure(); ++i) {
        const std::string key = reader.take_string();
        const auto type = reader.take<std::uint32_t>();
        if (type == kString) {
            metadata.strings[key] = reader.take_string();
        } else if (type == kArray) {
            take_array(reader, key, metadata);
        } else {
            metadata.numbers[key] = reader.take_integer(type);
        }
    }
    return metadata;
}

}  // namespace

VocabularyData read_gguf_vocabulary(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    Metadata metadata = read_metadata(bytes);
    const std::string prefix = "tokenizer.ggml.";
    const auto id = [&](const char* key) -> std::optional<TokenId> {
        const auto found = metadata.numbers.find(prefix + key);
        if (found == metadata.numbers.end()) return std::nullopt;
        return static_cast<TokenId>(found->second);
    };
    const auto flag = [&](const char* key) -> std::optional<bool> {
        const auto found = metadata.numbers.find(prefix + key);
        if (found == metadata.numbers.end()) return std::nullopt;
        return found->second != 0;
    };
    VocabularyData data;
    data.model = metadata.strings[prefix + "model"];
    data.pre = metadata.strings[prefix + "pre"];
    data.tokens = std::move(metadata.string_lists[prefix + "tokens"]);
    data.scores = std::move(metadata.float_lists[prefix + "scores"]);
    data.merges = std::move(metadata.string_lists[prefix + "merges"]);
    for (const std::int64_t type : metadata.number_lists[prefix + "token_type"]) {
        data.token_types.push_back(static_cast<std::int32_t>(type));
    }
    for (const std::int64_t byte : metadata.number_lists[prefix + "precompiled_charsmap"]) {
        data.precompiled_charsmap.push_back(static_cast<char>(byte));
    }
    data.bos = id("bos_token_id");
    data.eos = id("eos_token_id");
    data.unknown = id("unknown_token_id");
    data.separator = id("seperator_token_id");  // the key is spelled so
    data.padding = id("padding_token_id");
    data.cls = id("cls_token_id");
    data.mask = id("mask_token_id");
    data.add_bos = flag("add_bos_token");
    data.add_eos = flag("add_eos_token");
    data.add_space_prefix = flag("add_space_prefix");
    data.remove_extra_whitespaces = flag("remove_extra_whitespaces").value_or(false);
    return data;
}

}  // namespace heddle::text
