#include "model/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace heddle::model {
namespace {

using compute::DType;

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read in place");

constexpr std::uint64_t kMetadataMax = 65'536;
constexpr std::uint64_t kTensorsMax = 200'000;
constexpr std::uint64_t kKeyBytesMax = 65'535;  // the format's own limit
constexpr std::uint64_t kTensorNameBytesMax = 1'024;
constexpr std::uint64_t kStringBytesMax = 64 << 20;
constexpr std::uint32_t kRankMax = 4;
constexpr std::uint64_t kAlignmentDefault = 32;
constexpr std::uint64_t kAlignmentMax = 1 << 20;

struct TensorTypeRow {
    std::uint32_t code;
    DType dtype;
};
constexpr std::array kTensorTypes = {
    TensorTypeRow{0, DType::kF32},   TensorTypeRow{1, DType::kF16},
    TensorTypeRow{2, DType::kQ4_0},  TensorTypeRow{8, DType::kQ8_0},
    TensorTypeRow{12, DType::kQ4_K}, TensorTypeRow{13, DType::kQ5_K},
    TensorTypeRow{14, DType::kQ6_K}, TensorTypeRow{30, DType::kBF16},
    TensorTypeRow{26, DType::kI32},  TensorTypeRow{27, DType::kI64},
};

// Bytes of one array element of a fixed-size type; 0 for strings, arrays and unknown codes.
std::uint64_t element_bytes(GgufType type) {
    switch (type) {
        case GgufType::kU8:
        case GgufType::kI8:
        case GgufType::kBool:
            return 1;
        case GgufType::kU16:
        case GgufType::kI16:
            return 2;
        case GgufType::kU32:
        case GgufType::kI32:
        case GgufType::kF32:
            return 4;
        case GgufType::kU64:
        case GgufType::kI64:
        case GgufType::kF64:
            return 8;
        case GgufType::kString:
        case GgufType::kArray:
            return 0;
    }
    return 0;
}

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

// One fixed-size value, widened. `bytes` holds at least element_bytes(type).
GgufValue widen(GgufType type, const std::byte* bytes) {
    switch (type) {
        case GgufType::kU8:
            return std::uint64_t{load<std::uint8_t>(bytes)};
        case GgufType::kI8:
            return std::int64_t{load<std::int8_t>(bytes)};
        case GgufType::kU16:
            return std::uint64_t{load<std::uint16_t>(bytes)};
        case GgufType::kI16:
            return std::int64_t{load<std::int16_t>(bytes)};
        case GgufType::kU32:
            return std::uint64_t{load<std::uint32_t>(bytes)};
        case GgufType::kI32:
            return std::int64_t{load<std::int32_t>(bytes)};
        case GgufType::kF32:
            return double{load<float>(bytes)};
        case GgufType::kBool:
            return load<std::uint8_t>(bytes) != 0;
        case GgufType::kU64:
            return load<std::uint64_t>(bytes);
        case GgufType::kI64:
            return load<std::int64_t>(bytes);
        case GgufType::kF64:
            return load<double>(bytes);
        case GgufType::kString:
        case GgufType::kArray:
            break;
    }
    return std::uint64_t{0};
}

std::optional<std::int64_t> as_integer(const GgufValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        if (std::in_range<std::int64_t>(*number)) return static_cast<std::int64_t>(*number);
    }
    return std::nullopt;
}

std::optional<double> as_number(const GgufValue& value) {
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto integer = as_integer(value)) return static_cast<double>(*integer);
    return std::nullopt;
}

}  // namespace

// Walks the file once, front to back.
class GgufReader {
public:
    explicit GgufReader(std::shared_ptr<const MappedFile> file) : bytes_(file->bytes()) {
        gguf_.file_ = std::move(file);
    }

    Result<GgufFile> read() {
        HEDDLE_TRY_VOID(read_counts());
        for (std::uint64_t i = 0; i < metadata_count_; ++i) HEDDLE_TRY_VOID(read_entry());
        HEDDLE_TRY(const std::uint64_t alignment, find_alignment());
        for (std::uint64_t i = 0; i < tensor_count_; ++i) {
            HEDDLE_TRY_VOID(read_tensor_info(alignment));
        }
        HEDDLE_TRY_VOID(place_tensors(alignment));
        gguf_.tensors_.hold(gguf_.file_);
        return std::move(gguf_);
    }

private:
    struct Info {
        StoredTensor tensor;
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };

    [[nodiscard]] Error corrupt(std::string_view what) const {
        return {ErrorCode::kCorrupt, fmt::format("{}: {}", gguf_.file_->name(), what)};
    }

    Result<std::span<const std::byte>> take(std::uint64_t count, std::string_view what) {
        if (count > bytes_.size() - position_) {
            return fail(corrupt(fmt::format("ends inside {}", what)));
        }
        const auto taken = bytes_.subspan(position_, count);
        position_ += count;
        return taken;
    }

    template <class T>
    Result<T> take_number(std::string_view what) {
        HEDDLE_TRY(const auto taken, take(sizeof(T), what));
        return load<T>(taken.data());
    }

    Result<std::string_view> take_string(std::uint64_t bytes_max, std::string_view what) {
        HEDDLE_TRY(const auto length, take_number<std::uint64_t>(what));
        if (length > bytes_max) {
            return fail(corrupt(fmt::format("{} claims {} bytes", what, length)));
        }
        HEDDLE_TRY(const auto taken, take(length, what));
        return std::string_view(reinterpret_cast<const char*>(taken.data()), taken.size());
    }

    Result<> read_counts() {
        HEDDLE_TRY(const auto magic, take(4, "the magic"));
        if (std::memcmp(magic.data(), "GGUF", 4) != 0) {
            return fail(corrupt("is not a GGUF file"));
        }
        HEDDLE_TRY(const auto version, take_number<std::uint32_t>("the version"));
        if (version == __builtin_bswap32(3)) {
            return fail(corrupt("is a big-endian GGUF file, which is not supported"));
        }
        if (version != 2 && version != 3) {
            return fail(corrupt(fmt::format("has GGUF version {}; 2 and 3 are read", version)));
        }
        HEDDLE_TRY(tensor_count_, take_number<std::uint64_t>("the tensor count"));
        HEDDLE_TRY(metadata_count_, take_number<std::uint64_t>("the metadata count"));
        if (tensor_count_ > kTensorsMax) {
            return fail(corrupt(fmt::format("claims {} tensors", tensor_count_)));
        }
        if (metadata_count_ > kMetadataMax) {
            return fail(corrupt(fmt::format("claims {} metadata entries", metadata_count_)));
        }
        return {};
    }

    Result<> read_entry() {
        HEDDLE_TRY(const auto key, take_string(kKeyBytesMax, "a metadata key"));
        if (key.empty()) return fail(corrupt("a metadata key is empty"));
        HEDDLE_TRY(const auto code, take_number<std::uint32_t>(key));
        HEDDLE_TRY(auto value, read_value(key, code));
        if (!gguf_.metadata_.try_emplace(key, std::move(value)).second) {
            return fail(corrupt(fmt::format("metadata {} appears twice", key)));
        }
        return {};
    }

    Result<GgufValue> read_value(std::string_view key, std::uint32_t code) {
        const auto type = static_cast<GgufType>(code);
        if (type == GgufType::kString) {
            HEDDLE_TRY(const auto text, take_string(kStringBytesMax, key));
            return GgufValue(text);
        }
        if (type == GgufType::kArray) return read_array(key);
        const std::uint64_t size = element_bytes(type);
        if (size == 0) {
            return fail(corrupt(fmt::format("metadata {} has unknown type {}", key, code)));
        }
        HEDDLE_TRY(const auto taken, take(size, key));
        return widen(type, taken.data());
    }

    Result<GgufValue> read_array(std::string_view key) {
        HEDDLE_TRY(const auto code, take_number<std::uint32_t>(key));
        GgufArray array;
        array.type = static_cast<GgufType>(code);
        HEDDLE_TRY(array.count, take_number<std::uint64_t>(key));
        const bool strings = array.type == GgufType::kString;
        const std::uint64_t size = strings ? 8 : element_bytes(array.type);
        if (size == 0) {
            return fail(
                corrupt(fmt::format("metadata {} has unsupported element type {}", key, code)));
        }
        if (array.count > (bytes_.size() - position_) / size) {
            return fail(corrupt(fmt::format("metadata {} claims {} elements", key, array.count)));
        }
        if (!strings) {
            HEDDLE_TRY(array.bytes, take(array.count * size, key));
            return GgufValue(std::move(array));
        }
        array.strings.reserve(array.count);
        for (std::uint64_t i = 0; i < array.count; ++i) {
            HEDDLE_TRY(const auto text, take_string(kStringBytesMax, key));
            array.strings.push_back(text);
        }
        return GgufValue(std::move(array));
    }

    Result<std::uint64_t> find_alignment() {
        HEDDLE_TRY(const auto alignment, gguf_.integer("general.alignment", 1, kAlignmentMax));
        const auto value = static_cast<std::uint64_t>(alignment.value_or(kAlignmentDefault));
        if (!std::has_single_bit(value)) {
            return fail(corrupt(fmt::format("general.alignment {} is no power of two", value)));
        }
        return value;
    }

    Result<> read_tensor_info(std::uint64_t alignment) {
        Info info;
        HEDDLE_TRY(info.tensor.name, take_string(kTensorNameBytesMax, "a tensor's name"));
        const std::string& name = info.tensor.name;
        if (name.empty()) return fail(corrupt("a tensor's name is empty"));
        HEDDLE_TRY(const auto rank, take_number<std::uint32_t>(name));
        if (rank < 1 || rank > kRankMax) {
            return fail(corrupt(fmt::format("tensor {} has {} dimensions", name, rank)));
        }
        for (std::uint32_t i = 0; i < rank; ++i) {
            HEDDLE_TRY(const auto extent, take_number<std::uint64_t>(name));
            if (extent < 1 || !std::in_range<std::int64_t>(extent)) {
                return fail(corrupt(fmt::format("tensor {} has an extent of {}", name, extent)));
            }
            // The file lists the innermost dimension first.
            info.tensor.shape.insert(info.tensor.shape.begin(), static_cast<std::int64_t>(extent));
        }
        HEDDLE_TRY(const auto code, take_number<std::uint32_t>(name));
        HEDDLE_TRY(info.offset, take_number<std::uint64_t>(name));
        if (info.offset % alignment != 0) {
            return fail(corrupt(fmt::format("tensor {} is not aligned", name)));
        }
        HEDDLE_TRY_VOID(size_tensor(code, info));
        infos_.push_back(std::move(info));
        return {};
    }

    Result<> size_tensor(std::uint32_t code, Info& info) const {
        StoredTensor& tensor = info.tensor;
        const auto* const row = std::ranges::find(kTensorTypes, code, &TensorTypeRow::code);
        if (row == kTensorTypes.end()) {
            return fail(ErrorCode::kUnimplemented,
                        fmt::format("{}: tensor {} has type {}, which is not supported (F32, F16, "
                                    "BF16, Q8_0, Q4_0, Q4_K, Q5_K and Q6_K are)",
                                    gguf_.file_->name(), tensor.name, code));
        }
        tensor.dtype = row->dtype;
        const std::int64_t block = compute::block_elements(row->dtype);
        if (tensor.shape.back() % block != 0) {
            return fail(
                corrupt(fmt::format("tensor {}: rows of {} are no whole {} blocks", tensor.name,
                                    tensor.shape.back(), compute::to_string(row->dtype))));
        }
        const auto count = element_count(tensor.shape);
        std::int64_t bytes = 0;
        if (!count ||
            __builtin_mul_overflow(*count / block, compute::block_bytes(row->dtype), &bytes)) {
            return fail(corrupt(fmt::format("tensor {} is too large", tensor.name)));
        }
        info.bytes = static_cast<std::uint64_t>(bytes);
        return {};
    }

    Result<> place_tensors(std::uint64_t alignment) {
        const std::uint64_t start = (position_ + alignment - 1) / alignment * alignment;
        if (infos_.empty()) return {};
        if (start > bytes_.size()) return fail(corrupt("ends before the tensor data"));
        const auto data = bytes_.subspan(start);
        std::ranges::sort(infos_, {}, &Info::offset);
        std::uint64_t reached = 0;
        for (Info& info : infos_) {
            if (info.offset < reached) {
                return fail(corrupt(fmt::format("tensor {} overlaps another", info.tensor.name)));
            }
            if (info.offset > data.size() || info.bytes > data.size() - info.offset) {
                return fail(
                    corrupt(fmt::format("tensor {} lies outside the file", info.tensor.name)));
            }
            reached = info.offset + info.bytes;
            info.tensor.bytes = data.subspan(info.offset, info.bytes);
            if (auto added = gguf_.tensors_.add(std::move(info.tensor)); !added) {
                return fail(corrupt(added.error().message()));
            }
        }
        return {};
    }

    std::span<const std::byte> bytes_;
    std::uint64_t position_ = 0;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t metadata_count_ = 0;
    std::vector<Info> infos_;
    GgufFile gguf_;
};

Result<GgufFile> GgufFile::read(std::shared_ptr<const MappedFile> file) {
    return GgufReader(std::move(file)).read();
}

Error GgufFile::wrong(std::string_view key, std::string_view what) const {
    return {ErrorCode::kCorrupt, fmt::format("{}: metadata {} {}", file_->name(), key, what)};
}

const GgufValue* GgufFile::find(std::string_view key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? nullptr : &found->second;
}

Result<std::optional<std::int64_t>> GgufFile::integer(std::string_view key, std::int64_t least,
                                                      std::int64_t most) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return std::optional<std::int64_t>();
    const auto number = as_integer(*value);
    if (!number) return fail(wrong(key, "is no integer"));
    if (*number < least || *number > most) {
        return fail(wrong(key, fmt::format("is {}; it must lie in {}..{}", *number, least, most)));
    }
    return number;
}

Result<std::optional<double>> GgufFile::number(std::string_view key, double least,
                                               double most) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return std::optional<double>();
    const auto number = as_number(*value);
    if (!number) return fail(wrong(key, "is no number"));
    if (!(*number >= least && *number <= most)) {
        return fail(wrong(key, fmt::format("is {}; it must lie in {}..{}", *number, least, most)));
    }
    return number;
}

Result<std::optional<bool>> GgufFile::boolean(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return std::optional<bool>();
    if (const auto* flag = std::get_if<bool>(value)) return std::optional<bool>(*flag);
    return fail(wrong(key, "is no boolean"));
}

Result<std::optional<std::string_view>> GgufFile::text(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return std::optional<std::string_view>();
    if (const auto* text = std::get_if<std::string_view>(value)) {
        return std::optional<std::string_view>(*text);
    }
    return fail(wrong(key, "is no string"));
}

Result<std::span<const std::string_view>> GgufFile::texts(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return std::span<const std::string_view>();
    const auto* array = std::get_if<GgufArray>(value);
    if (array == nullptr || array->type != GgufType::kString) {
        return fail(wrong(key, "is no array of strings"));
    }
    return std::span<const std::string_view>(array->strings);
}

Result<std::vector<std::int64_t>> GgufFile::integers(std::string_view key) const {
    std::vector<std::int64_t> numbers;
    const GgufValue* value = find(key);
    if (value == nullptr) return numbers;
    const auto* array = std::get_if<GgufArray>(value);
    if (array == nullptr || array->type == GgufType::kString) {
        return fail(wrong(key, "is no array of integers"));
    }
    numbers.reserve(array->count);
    const std::uint64_t size = element_bytes(array->type);
    for (std::uint64_t i = 0; i < array->count; ++i) {
        const auto number = as_integer(widen(array->type, array->bytes.data() + i * size));
        if (!number) return fail(wrong(key, "is no array of integers"));
        numbers.push_back(*number);
    }
    return numbers;
}

Result<std::vector<double>> GgufFile::numbers(std::string_view key) const {
    std::vector<double> numbers;
    const GgufValue* value = find(key);
    if (value == nullptr) return numbers;
    const auto* array = std::get_if<GgufArray>(value);
    if (array == nullptr || array->type == GgufType::kString) {
        return fail(wrong(key, "is no array of numbers"));
    }
    numbers.reserve(array->count);
    const std::uint64_t size = element_bytes(array->type);
    for (std::uint64_t i = 0; i < array->count; ++i) {
        const auto number = as_number(widen(array->type, array->bytes.data() + i * size));
        if (!number) return fail(wrong(key, "is no array of numbers"));
        numbers.push_back(*number);
    }
    return numbers;
}

}  // namespace heddle::model
