// Norms, rotations, activations and pooling of the reference, in double.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "compute/op_checks.h"
#include "compute/reference/reference_backend.h"

namespace heddle::compute::reference {
namespace {

double activation(double x, Activation kind) {
    switch (kind) {
        case Activation::kGelu:
            return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
        case Activation::kGeluTanh:
            return 0.5 * x *
                   (1.0 +
                    std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case Activation::kSilu:
            return x / (1.0 + std::exp(-x));
        case Activation::kRelu:
            return std::max(x, 0.0);
        case Activation::kTanh:
            return std::tanh(x);
        case Activation::kSigmoid:
            return 1.0 / (1.0 + std::exp(-x));
    }
    HEDDLE_CHECK(false, "activation is one of the enumerators");
}

template <class Fn>
void each(const Tensor& y, const ConstTensor& x, Fn fn) {
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        const auto* in = x.row<float>(r);
        auto* out = y.row<float>(r);
        for (std::int64_t i = 0; i < x.cols(); ++i) out[i] = static_cast<float>(fn(in[i], r, i));
    }
}

}  // namespace

void ReferenceBackend::layer_norm(Tensor y, ConstTensor x, ConstTensor residual, ConstTensor weight,
                                  ConstTensor bias, const NormOptions& options) {
    checks::norm(y, x, residual, weight, bias);
    const std::int64_t n = x.cols();
    std::vector<double> sum(static_cast<std::size_t>(n));
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        double mean = 0.0;
        for (std::int64_t i = 0; i < n; ++i) {
            const double added = residual.empty() ? 0.0 : residual.row<float>(r)[i];
            sum[static_cast<std::size_t>(i)] = x.row<float>(r)[i] + added;
            mean += sum[static_cast<std::size_t>(i)];
        }
        mean /= static_cast<double>(n);
        double variance = 0.0;
        for (const double value : sum) variance += (value - mean) * (value - mean);
        variance /= static_cast<double>(n);
        const double inverse = 1.0 / std::sqrt(variance + options.epsilon);
        for (std::int64_t i = 0; i < n; ++i) {
            const double shift = bias.empty() ? 0.0 : bias.as<float>()[i];
            y.row<float>(r)[i] = static_cast<float>((sum[static_cast<std::size_t>(i)] - mean) *
                                                        inverse * weight.as<float>()[i] +
                                                    shift);
        }
    }
}

void ReferenceBackend::rms_norm(Tensor y, ConstTensor x, Tensor residual, ConstTensor weight,
                                const NormOptions& options) {
    checks::norm(y, x, residual, weight, {});
    const std::int64_t n = x.cols();
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        const float* in = x.row<float>(r);
        if (!residual.empty()) {
            auto* stream = residual.row<float>(r);
            for (std::int64_t i = 0; i < n; ++i) stream[i] += in[i];
            in = stream;
        }
        double squares = 0.0;
        for (std::int64_t i = 0; i < n; ++i) squares += static_cast<double>(in[i]) * in[i];
        const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(n) + options.epsilon);
        for (std::int64_t i = 0; i < n; ++i) {
            const double w = weight.as<float>()[i] + (options.unit_offset ? 1.0 : 0.0);
            y.row<float>(r)[i] = static_cast<float>(in[i] * inverse * w);
        }
    }
}

void ReferenceBackend::rope(Tensor x, ConstTensor positions, const RopeOptions& options) {
    checks::rope(x, positions, options);
    const std::int64_t pairs = options.inverse_frequencies.cols();
    for (std::int64_t m = 0; m < x.dim(0); ++m) {
        for (std::int64_t h = 0; h < x.dim(1); ++h) {
            auto* head = x.row<float>(m * x.dim(1) + h);
            for (std::int64_t i = 0; i < pairs; ++i) {
                // The angle is rounded to fp32 as every implementation does that models were
                // trained with.
                const float angle = static_cast<float>(positions.as<std::int32_t>()[m]) *
                                    options.inverse_frequencies.as<float>()[i];
                const double c = std::cos(static_cast<double>(angle)) * options.attention_factor;
                const double s = std::sin(static_cast<double>(angle)) * options.attention_factor;
                const bool halves = options.style == RopeStyle::kHalves;
                float& first = head[halves ? i : 2 * i];
                float& second = head[halves ? i + pairs : 2 * i + 1];
                const double a = first;
                const double b = second;
                first = static_cast<float>(a * c - b * s);
                second = static_cast<float>(a * s + b * c);
            }
        }
    }
}

void ReferenceBackend::activate(Tensor y, ConstTensor x, Activation kind) {
    checks::elementwise(y, x);
    each(y, x, [&](double value, std::int64_t, std::int64_t) { return activation(value, kind); });
}

void ReferenceBackend::gated_activate(Tensor y, ConstTensor gate, ConstTensor up, Activation kind) {
    checks::elementwise(y, gate);
    checks::elementwise(y, up);
    each(y, gate, [&](double value, std::int64_t r, std::int64_t i) {
        return activation(value, kind) * up.row<float>(r)[i];
    });
}

void ReferenceBackend::add(Tensor y, ConstTensor a, ConstTensor b) {
    checks::add(y, a, b);
    each(y, a, [&](float value, std::int64_t r, std::int64_t i) {
        return value + b.row<float>(b.rows() == 1 ? 0 : r)[i];
    });
}

void ReferenceBackend::scale(Tensor y, ConstTensor x, float factor) {
    checks::elementwise(y, x);
    each(y, x, [&](float value, std::int64_t, std::int64_t) { return factor * value; });
}

void ReferenceBackend::softcap(Tensor y, ConstTensor x, float cap) {
    checks::elementwise(y, x);
    HEDDLE_CHECK(cap > 0.0F, "a cap is positive");
    each(y, x,
         [&](double value, std::int64_t, std::int64_t) { return cap * std::tanh(value / cap); });
}

void ReferenceBackend::softmax(Tensor y, ConstTensor x) {
    checks::elementwise(y, x);
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        const auto* in = x.row<float>(r);
        const double largest = *std::max_element(in, in + x.cols());
        double sum = 0.0;
        for (std::int64_t i = 0; i < x.cols(); ++i) sum += std::exp(in[i] - largest);
        auto* out = y.row<float>(r);
        for (std::int64_t i = 0; i < x.cols(); ++i) {
            out[i] = static_cast<float>(std::exp(in[i] - largest) / sum);
        }
    }
}

void ReferenceBackend::mean_pool(Tensor y, ConstTensor x, ConstTensor starts) {
    checks::mean_pool(y, x, starts);
    const auto* start = starts.as<std::int32_t>();
    for (std::int64_t s = 0; s < y.rows(); ++s) {
        HEDDLE_CHECK(start[s] >= 0 && start[s] <= start[s + 1] && start[s + 1] <= x.rows(),
                     "starts ascend within the rows");
        const double count = std::max(1, start[s + 1] - start[s]);
        for (std::int64_t i = 0; i < x.cols(); ++i) {
            double sum = 0.0;
            for (std::int64_t r = start[s]; r < start[s + 1]; ++r) sum += x.row<float>(r)[i];
            y.row<float>(s)[i] = static_cast<float>(sum / count);
        }
    }
}

void ReferenceBackend::l2_normalize(Tensor y, ConstTensor x) {
    checks::elementwise(y, x);
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        double squares = 0.0;
        for (std::int64_t i = 0; i < x.cols(); ++i) {
            squares += static_cast<double>(x.row<float>(r)[i]) * x.row<float>(r)[i];
        }
        const double norm = std::max(std::sqrt(squares), 1e-12);
        for (std::int64_t i = 0; i < x.cols(); ++i) {
            y.row<float>(r)[i] = static_cast<float>(x.row<float>(r)[i] / norm);
        }
    }
}

}  // namespace heddle::compute::reference
