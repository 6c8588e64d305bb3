#include "model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include <simdjson.h>

namespace heddle::model {
namespace {

namespace dom = simdjson::dom;
using compute::DType;

constexpr std::uint64_t kHeaderBytesMax = 100'000'000;  // the reference implementation's cap
constexpr std::uint64_t kIndexBytesMax = 64 << 20;
constexpr std::size_t kTensorsMax = 200'000;
constexpr std::size_t kShardsMax = 2'000;
constexpr std::size_t kRankMax = 8;
constexpr std::size_t kNameBytesMax = 1'024;

struct TypeRow {
    std::string_view name;
    std::uint64_t bytes;
    std::optional<DType> dtype;
};
constexpr std::array kTypes = {
    TypeRow{"F32", 4, DType::kF32},      TypeRow{"F16", 2, DType::kF16},
    TypeRow{"BF16", 2, DType::kBF16},    TypeRow{"I64", 8, DType::kI64},
    TypeRow{"I32", 4, DType::kI32},      TypeRow{"I8", 1, DType::kI8},
    TypeRow{"F64", 8, std::nullopt},     TypeRow{"U64", 8, std::nullopt},
    TypeRow{"U32", 4, std::nullopt},     TypeRow{"I16", 2, std::nullopt},
    TypeRow{"U16", 2, std::nullopt},     TypeRow{"U8", 1, std::nullopt},
    TypeRow{"BOOL", 1, std::nullopt},    TypeRow{"F8_E4M3", 1, std::nullopt},
    TypeRow{"F8_E5M2", 1, std::nullopt},
};

Error corrupt(const MappedFile& file, std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("{}: {}", file.name(), what)};
}

Error corrupt_tensor(const MappedFile& file, std::string_view tensor, std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("{}: tensor {}: {}", file.name(), tensor, what)};
}

struct Entry {
    StoredTensor tensor;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

Result<std::string_view> header_text(const MappedFile& file) {
    if (file.size() < 8) return fail(corrupt(file, "is shorter than its length field"));
    std::uint64_t length = 0;
    std::memcpy(&length, file.bytes().data(), 8);
    if (length < 2) return fail(corrupt(file, "the header is empty"));
    if (length > kHeaderBytesMax) {
        return fail(corrupt(file, fmt::format("the header length {} is over the limit of {}",
                                              length, kHeaderBytesMax)));
    }
    HEDDLE_TRY(const auto bytes, file.at(8, length, "the header"));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.front() != '{') return fail(corrupt(file, "the header is not a JSON object"));
    return text;
}

Result<std::uint64_t> parse_type(const MappedFile& file, dom::object fields, StoredTensor& tensor) {
    std::string_view name;
    if (fields["dtype"].get(name) != simdjson::SUCCESS) {
        return fail(corrupt_tensor(file, tensor.name, "dtype is missing or no string"));
    }
    const auto* const row = std::ranges::find(kTypes, name, &TypeRow::name);
    if (row == kTypes.end()) {
        return fail(corrupt_tensor(file, tensor.name,
                                   fmt::format("dtype {} is unknown", name.substr(0, 32))));
    }
    tensor.dtype = row->dtype;
    return row->bytes;
}

Result<> parse_shape(const MappedFile& file, dom::object fields, StoredTensor& tensor) {
    dom::array extents;
    if (fields["shape"].get(extents) != simdjson::SUCCESS) {
        return fail(corrupt_tensor(file, tensor.name, "shape is missing or no array"));
    }
    for (const dom::element extent : extents) {
        std::int64_t value = 0;
        if (extent.get(value) != simdjson::SUCCESS || value < 0) {
            return fail(corrupt_tensor(file, tensor.name, "shape has an extent that is no count"));
        }
        if (tensor.shape.size() == kRankMax) {
            return fail(corrupt_tensor(file, tensor.name, "shape has more than 8 dimensions"));
        }
        tensor.shape.push_back(value);
    }
    return {};
}

Result<> parse_range(const MappedFile& file, dom::object fields, Entry& entry) {
    dom::array offsets;
    if (fields["data_offsets"].get(offsets) != simdjson::SUCCESS || offsets.size() != 2 ||
        offsets.at(0).get(entry.begin) != simdjson::SUCCESS ||
        offsets.at(1).get(entry.end) != simdjson::SUCCESS) {
        return fail(corrupt_tensor(file, entry.tensor.name, "data_offsets are not two counts"));
    }
    if (entry.begin > entry.end) {
        return fail(corrupt_tensor(file, entry.tensor.name, "data_offsets end before they begin"));
    }
    return {};
}

Result<Entry> parse_entry(const MappedFile& file, std::string_view name, dom::element value) {
    Entry entry;
    if (name.empty() || name.size() > kNameBytesMax) {
        return fail(corrupt(file, "a tensor's name is empty or over 1024 bytes"));
    }
    entry.tensor.name = name;
    dom::object fields;
    if (value.get(fields) != simdjson::SUCCESS) {
        return fail(corrupt_tensor(file, name, "is not described by an object"));
    }
    HEDDLE_TRY(const std::uint64_t element_bytes, parse_type(file, fields, entry.tensor));
    HEDDLE_TRY_VOID(parse_shape(file, fields, entry.tensor));
    HEDDLE_TRY_VOID(parse_range(file, fields, entry));
    const auto count = element_count(entry.tensor.shape);
    std::uint64_t bytes = 0;
    if (!count ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(*count), element_bytes, &bytes)) {
        return fail(corrupt_tensor(file, name, "shape is too large"));
    }
    if (bytes != entry.end - entry.begin) {
        return fail(corrupt_tensor(
            file, name,
            fmt::format("shape {} takes {} bytes, data_offsets span {}",
                        shape_text(entry.tensor.shape), bytes, entry.end - entry.begin)));
    }
    return entry;
}

Result<std::vector<Entry>> parse_header(const MappedFile& file, std::string_view text) {
    dom::parser parser;
    dom::object header;
    if (parser.parse(text.data(), text.size(), true).get(header) != simdjson::SUCCESS) {
        return fail(corrupt(file, "the header is not valid JSON"));
    }
    std::vector<Entry> entries;
    for (const auto [name, value] : header) {
        if (name == "__metadata__") continue;
        if (entries.size() == kTensorsMax) return fail(corrupt(file, "holds too many tensors"));
        HEDDLE_TRY(Entry entry, parse_entry(file, name, value));
        entries.push_back(std::move(entry));
    }
    return entries;
}

// The tensors must fill the buffer from its start to its end, which also rules out overlaps.
Result<> check_coverage(const MappedFile& file, std::vector<Entry>& entries,
                        std::uint64_t buffer_bytes) {
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    std::uint64_t reached = 0;
    for (const Entry& entry : entries) {
        if (entry.end > buffer_bytes) {
            return fail(corrupt_tensor(file, entry.tensor.name, "data lies outside the file"));
        }
        if (entry.begin < reached) {
            return fail(corrupt_tensor(file, entry.tensor.name, "data overlaps another tensor"));
        }
        if (entry.begin > reached) {
            return fail(corrupt_tensor(file, entry.tensor.name, "data leaves a gap before it"));
        }
        reached = entry.end;
    }
    if (reached != buffer_bytes) return fail(corrupt(file, "bytes follow the last tensor"));
    return {};
}

Result<std::set<std::string>> add_mapped_names(dom::object weight_map, const std::string& index,
                                               std::map<std::string, std::string>& places) {
    std::set<std::string> shards;
    for (const auto [tensor, value] : weight_map) {
        std::string_view shard;
        if (value.get(shard) != simdjson::SUCCESS || shard.empty() || shard.size() > 255 ||
            shard.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos ||
            shard.front() == '.') {
            return fail(ErrorCode::kCorrupt,
                        fmt::format("{}: the shard of tensor {} is no plain file name", index,
                                    tensor.substr(0, kNameBytesMax)));
        }
        if (!places.try_emplace(std::string(tensor), shard).second) {
            return fail(ErrorCode::kCorrupt,
                        fmt::format("{}: tensor {} appears twice", index, tensor));
        }
        shards.emplace(shard);
        if (shards.size() > kShardsMax || places.size() > kTensorsMax) {
            return fail(ErrorCode::kCorrupt, fmt::format("{}: names too many shards", index));
        }
    }
    if (shards.empty()) return fail(ErrorCode::kCorrupt, fmt::format("{}: names no shard", index));
    return shards;
}

Result<StoredTensors> load_shards(const std::filesystem::path& folder, const std::string& index) {
    HEDDLE_TRY(const std::string text, read_text_file(folder / index, kIndexBytesMax));
    dom::parser parser;
    dom::object weight_map;
    if (parser.parse(text)["weight_map"].get(weight_map) != simdjson::SUCCESS) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: has no valid weight_map", index));
    }
    std::map<std::string, std::string> places;
    HEDDLE_TRY(const auto shards, add_mapped_names(weight_map, index, places));

    StoredTensors tensors;
    for (const std::string& shard : shards) {
        HEDDLE_TRY(auto file, MappedFile::open(folder / shard));
        HEDDLE_TRY_VOID(read_safetensors(std::move(file), tensors));
    }
    for (const auto& [tensor, shard] : places) {
        if (tensors.find(tensor) == nullptr) {
            return fail(ErrorCode::kCorrupt,
                        fmt::format("{}: tensor {} is not in {}", index, tensor, shard));
        }
    }
    return tensors;
}

}  // namespace

Result<> read_safetensors(std::shared_ptr<const MappedFile> file, StoredTensors& tensors) {
    HEDDLE_TRY(const std::string_view text, header_text(*file));
    HEDDLE_TRY(auto entries, parse_header(*file, text));
    const auto buffer = file->bytes().subspan(8 + text.size());
    HEDDLE_TRY_VOID(check_coverage(*file, entries, buffer.size()));
    for (Entry& entry : entries) {
        entry.tensor.bytes = buffer.subspan(entry.begin, entry.end - entry.begin);
        if (auto added = tensors.add(std::move(entry.tensor)); !added) {
            return fail(std::move(added).error().with_context(file->name()));
        }
    }
    tensors.hold(std::move(file));
    return {};
}

Result<StoredTensors> load_safetensors_folder(const std::filesystem::path& folder) {
    const std::string index = "model.safetensors.index.json";
    std::error_code ignored;
    if (std::filesystem::exists(folder / index, ignored)) return load_shards(folder, index);
    HEDDLE_TRY(auto file, MappedFile::open(folder / "model.safetensors"));
    StoredTensors tensors;
    HEDDLE_TRY_VOID(read_safetensors(std::move(file), tensors));
    return tensors;
}

}  // namespace heddle::model
