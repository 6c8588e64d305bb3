#include "compute/host_backend.h"

#include <cstring>
#include <new>
#include <vector>

#include "compute/dequantize.h"
#include "compute/op_checks.h"

namespace heddle::compute {
namespace {

std::size_t bytes_of(const ConstTensor& t) {
    return static_cast<std::size_t>(t.elements() * block_bytes(t.dtype()));
}

}  // namespace

Result<Buffer> HostBackend::allocate(std::size_t bytes) {
    try {
        return allocate_host(bytes);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kUnavailable, "not enough memory");
    }
}

void HostBackend::upload(Tensor to, std::span<const std::byte> from) {
    HEDDLE_CHECK(to.contiguous() && from.size() == bytes_of(to), "bytes fit the tensor");
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

void HostBackend::download(std::span<std::byte> to, ConstTensor from) {
    HEDDLE_CHECK(from.contiguous() && to.size() == bytes_of(from), "bytes fit the tensor");
    if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
}

void HostBackend::copy(Tensor to, ConstTensor from) {
    HEDDLE_CHECK(
        to.contiguous() && from.contiguous() && to.same_shape(from) && to.dtype() == from.dtype(),
        "tensors of one type and shape");
    if (!from.empty()) std::memcpy(to.data(), from.data(), bytes_of(from));
}

Result<WeightPtr> HostBackend::prepare_embedding(const WeightSource& source) {
    HEDDLE_TRY_VOID(check_source(source));
    return std::make_unique<MappedWeight>(source);
}

void HostBackend::embedding(Tensor y, const Weight& table, ConstTensor ids,
                            const EmbeddingOptions& options) {
    checks::embedding(y, table, ids);
    const auto* mapped = dynamic_cast<const MappedWeight*>(&table);
    HEDDLE_CHECK(mapped != nullptr, "the table came from prepare_embedding");
    const auto* id = ids.as<std::int32_t>();
    const std::int64_t dim = table.cols();
    std::vector<float> row(static_cast<std::size_t>(options.accumulate ? dim : 0));
    for (std::int64_t m = 0; m < ids.cols(); ++m) {
        HEDDLE_CHECK(id[m] >= 0 && id[m] < table.rows(), "ids lie inside the table");
        auto* to = y.row<float>(m);
        float* decoded = options.accumulate ? row.data() : to;
        dequantize_row(table.source_dtype(), mapped->row(id[m]), dim, decoded);
        if (options.accumulate) {
            for (std::int64_t i = 0; i < dim; ++i) to[i] += options.scale * decoded[i];
        } else if (options.scale != 1.0F) {
            for (std::int64_t i = 0; i < dim; ++i) to[i] *= options.scale;
        }
    }
}

void HostBackend::gather_rows(Tensor y, ConstTensor x, ConstTensor rows) {
    checks::gather_rows(y, x, rows);
    const auto* index = rows.as<std::int32_t>();
    for (std::int64_t m = 0; m < rows.cols(); ++m) {
        HEDDLE_CHECK(index[m] >= 0 && index[m] < x.rows(), "row numbers lie inside X");
        std::memcpy(y.row<float>(m), x.row<float>(index[m]),
                    static_cast<std::size_t>(x.cols()) * sizeof(float));
    }
}

}  // namespace heddle::compute
