// A linear's weight in panels (panels.h), packed once from the model file's rows.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "compute/cpu/panels.h"
#include "compute/tensor.h"
#include "compute/weight.h"

namespace heddle::compute::cpu {

// Bytes of one panel's chunk of `cols` columns.
[[nodiscard]] std::int64_t chunk_bytes(PanelFormat format, std::int64_t cols);

class PackedWeight final : public Weight {
public:
    // `source` has passed check_source(); its bytes are not needed afterwards. Packs with up to
    // `threads` threads of its own, the caller counted.
    [[nodiscard]] static Result<std::unique_ptr<PackedWeight>> pack(const WeightSource& source,
                                                                    Arithmetic arithmetic,
                                                                    int threads = 1);

    [[nodiscard]] std::size_t owned_bytes() const override { return buffer_.bytes(); }
    [[nodiscard]] std::string_view kind() const override;

    [[nodiscard]] PanelFormat format() const { return format_; }
    // Activations may be rounded to bf16 where the processor multiplies that faster.
    [[nodiscard]] bool allows_bf16() const { return allows_bf16_; }
    [[nodiscard]] std::int64_t panels() const { return (rows() + kPanelRows - 1) / kPanelRows; }
    [[nodiscard]] std::int64_t chunks() const { return (cols() + kChunkCols - 1) / kChunkCols; }
    [[nodiscard]] std::int64_t chunk_cols(std::int64_t chunk) const {
        return chunk + 1 < chunks() ? kChunkCols : cols() - chunk * kChunkCols;
    }
    [[nodiscard]] const std::byte* chunk(std::int64_t panel, std::int64_t chunk) const {
        return static_cast<const std::byte*>(buffer_.data()) + panel * panel_bytes_ +
               chunk * full_chunk_bytes_;
    }

private:
    PackedWeight(const WeightSource& source, PanelFormat format);

    void pack_panel(const WeightSource& source, std::int64_t panel);

    PanelFormat format_;
    bool allows_bf16_ = false;
    std::int64_t full_chunk_bytes_;
    std::int64_t panel_bytes_;
    Buffer buffer_;
};

}  // namespace heddle::compute::cpu
