// What a model file holds: named tensors of a stored type, lying in mapped memory. Both file
// formats (safetensors, GGUF) yield this one form; architectures ask for tensors by name and
// know no format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compute/dtype.h"
#include "model/mapped_file.h"

namespace heddle::model {

struct StoredTensor {
    std::string name;
    // Absent for a type that no kernel reads (booleans, 64-bit floats).
    std::optional<compute::DType> dtype;
    // Row-major, outermost first: a linear layer is {out, in}. Every extent is >= 1 but for
    // empty tensors, whose `bytes` are empty too.
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

// Product of the extents; nullopt when one is negative or the product overflows.
[[nodiscard]] std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape);

// "[32, 128]"
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

// All tensors of a model, over one or several files. Immutable once loaded.
class StoredTensors {
public:
    // Keeps `file` mapped as long as this object; tensors added later may point into it.
    void hold(std::shared_ptr<const MappedFile> file) { files_.push_back(std::move(file)); }
    // kCorrupt when the name is already there.
    Result<> add(StoredTensor tensor);

    [[nodiscard]] const StoredTensor* find(std::string_view name) const;
    // The tensor with exactly this shape, else a kCorrupt error that names both.
    [[nodiscard]] Result<const StoredTensor*> require(std::string_view name,
                                                      std::span<const std::int64_t> shape) const;

    // MappedFile::drop_resident() of all files.
    void drop_resident() const {
        for (const auto& file : files_) file->drop_resident();
    }

    [[nodiscard]] std::size_t count() const { return tensors_.size(); }
    [[nodiscard]] std::uint64_t byte_count() const { return byte_count_; }
    [[nodiscard]] const std::map<std::string, StoredTensor, std::less<>>& tensors() const {
        return tensors_;
    }

private:
    std::vector<std::shared_ptr<const MappedFile>> files_;
    std::map<std::string, StoredTensor, std::less<>> tensors_;
    std::uint64_t byte_count_ = 0;
};

}  // namespace heddle::model
