// What backends in host memory share: memory, copies, and gathers from tables in any stored type.
#pragma once

#include "compute/backend.h"

namespace heddle::compute {

class HostBackend : public Backend {
public:
    [[nodiscard]] Result<Buffer> allocate(std::size_t bytes) override;
    void upload(Tensor to, std::span<const std::byte> from) override;
    void download(std::span<std::byte> to, ConstTensor from) override;
    void copy(Tensor to, ConstTensor from) override;
    void synchronize() override {}
    [[nodiscard]] Result<WeightPtr> prepare_embedding(const WeightSource& source) override;
    void embedding(Tensor y, const Weight& table, ConstTensor ids,
                   const EmbeddingOptions& options) override;
    void gather_rows(Tensor y, ConstTensor x, ConstTensor rows) override;
};

// A weight that is read where it lies.
class MappedWeight final : public Weight {
public:
    explicit MappedWeight(const WeightSource& source)
        : Weight(source.rows, source.cols, source.dtype), source_(source) {}

    [[nodiscard]] std::size_t owned_bytes() const override { return 0; }
    [[nodiscard]] std::string_view kind() const override { return "mapped"; }
    [[nodiscard]] const std::byte* row(std::int64_t r) const {
        return source_.data.data() + r * row_bytes(source_.dtype, source_.cols);
    }

private:
    WeightSource source_;
};

}  // namespace heddle::compute
