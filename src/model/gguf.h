// GGUF, version 3 (ggml's docs/gguf.md): typed metadata, tensor descriptions and aligned tensor
// data in one file. Strings and arrays stay in the mapping; nothing is copied but the index.
// Every count, length, type and offset is checked before it is used.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/mapped_file.h"
#include "model/stored_tensor.h"

namespace heddle::model {

// The value types of the format, by their code in the file.
enum class GgufType : std::uint32_t {
    kU8 = 0,
    kI8 = 1,
    kU16 = 2,
    kI16 = 3,
    kU32 = 4,
    kI32 = 5,
    kF32 = 6,
    kBool = 7,
    kString = 8,
    kArray = 9,
    kU64 = 10,
    kI64 = 11,
    kF64 = 12,
};

// Numbers lie as stored (little-endian, unaligned) in `bytes`; strings are already split.
struct GgufArray {
    GgufType type = GgufType::kU8;
    std::uint64_t count = 0;
    std::span<const std::byte> bytes;
    std::vector<std::string_view> strings;
};

// Unsigned and signed integers of all widths are widened, as are floats.
using GgufValue =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray>;

// A parsed file. The getters return nullopt for an absent key and kCorrupt for a value of
// another type or out of range. Views live as long as the object. Immutable.
class GgufFile {
public:
    static Result<GgufFile> read(std::shared_ptr<const MappedFile> file);

    [[nodiscard]] const StoredTensors& tensors() const { return tensors_; }
    [[nodiscard]] const MappedFile& file() const { return *file_; }

    [[nodiscard]] const GgufValue* find(std::string_view key) const;
    [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view key,
                                                              std::int64_t least,
                                                              std::int64_t most) const;
    [[nodiscard]] Result<std::optional<double>> number(std::string_view key, double least,
                                                       double most) const;
    [[nodiscard]] Result<std::optional<bool>> boolean(std::string_view key) const;
    [[nodiscard]] Result<std::optional<std::string_view>> text(std::string_view key) const;
    [[nodiscard]] Result<std::span<const std::string_view>> texts(std::string_view key) const;
    // Arrays of any integer or float type, widened; empty when absent.
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::string_view key) const;
    [[nodiscard]] Result<std::vector<double>> numbers(std::string_view key) const;

private:
    GgufFile() = default;

    [[nodiscard]] Error wrong(std::string_view key, std::string_view what) const;

    std::shared_ptr<const MappedFile> file_;
    std::map<std::string_view, GgufValue> metadata_;
    StoredTensors tensors_;

    friend class GgufReader;
};

}  // namespace heddle::model
