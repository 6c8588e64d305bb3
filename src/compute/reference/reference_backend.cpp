#include "compute/reference/reference_backend.h"

#include <vector>

#include "compute/dequantize.h"
#include "compute/op_checks.h"

namespace heddle::compute::reference {

Result<> ReferenceBackend::reserve(std::int64_t, std::int64_t) {
    return {};
}

Result<WeightPtr> ReferenceBackend::prepare_linear(const WeightSource& source, Arithmetic) {
    HEDDLE_TRY_VOID(check_source(source));
    return std::make_unique<MappedWeight>(source);
}

void ReferenceBackend::linear(Tensor y, ConstTensor x, const Weight& w,
                              const LinearOptions& options) {
    checks::linear(y, x, w, options);
    const auto* mapped = dynamic_cast<const MappedWeight*>(&w);
    HEDDLE_CHECK(mapped != nullptr, "the weight came from prepare_linear");
    std::vector<float> row(static_cast<std::size_t>(w.cols()));
    for (std::int64_t n = 0; n < w.rows(); ++n) {
        dequantize_row(w.source_dtype(), mapped->row(n), w.cols(), row.data());
        const double bias = options.bias.empty() ? 0.0 : options.bias.as<float>()[n];
        for (std::int64_t m = 0; m < x.rows(); ++m) {
            const auto* in = x.row<float>(m);
            double sum = bias;
            for (std::int64_t k = 0; k < w.cols(); ++k) {
                sum += static_cast<double>(in[k]) * row[static_cast<std::size_t>(k)];
            }
            float& out = y.row<float>(m)[n];
            out = static_cast<float>(options.accumulate ? out + sum : sum);
        }
    }
}

}  // namespace heddle::compute::reference
