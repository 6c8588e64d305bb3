#include <algorithm>
#include <array>
#include <string>

#include "compute/cuda/device/device_failure.h"
#include "compute/cuda/device/matrix_products.h"

namespace heddle::compute::cuda {
namespace {

constexpr int kProposals = 12;
constexpr int kRounds = 5;

void check_lt(int status, const char* what) {
    if (status == 0) return;
    throw DeviceFailure(kHeddleCudaBroken,
                        std::string("cuBLASLt, ") + what + ": status " + std::to_string(status));
}

}  // namespace

// Row-major Y = X W^T is column-major Y^T = W X^T: W, read by columns of k, is transposed.
MatrixProducts::MatrixProducts() : lt_(CublasLt::get()) {
    check_lt(lt_.create(&handle_), "create");
    check_lt(lt_.desc_create(&desc_, kLtCompute32, kLtFloat32), "descriptor");
    const std::int32_t transposed = kLtTransposed;
    check_lt(lt_.desc_set(desc_, kLtTransposeA, &transposed, sizeof(transposed)), "transpose");
    check_lt(lt_.preference_create(&preference_), "preference");
    const std::uint64_t bytes = kWorkspaceBytes;
    check_lt(lt_.preference_set(preference_, kLtWorkspaceMax, &bytes, sizeof(bytes)), "workspace");
    check(cudaMalloc(&workspace_, kWorkspaceBytes), "matrix workspace");
    check(cudaEventCreate(&begin_), "event");
    check(cudaEventCreate(&end_), "event");
}

MatrixProducts::~MatrixProducts() {
    for (auto& [shape, plan] : plans_) {
        for (void* layout : {plan.x, plan.y, plan.weight}) lt_.layout_destroy(layout);
    }
    if (begin_ != nullptr) cudaEventDestroy(begin_);
    if (end_ != nullptr) cudaEventDestroy(end_);
    if (workspace_ != nullptr) cudaFree(workspace_);
    if (preference_ != nullptr) lt_.preference_destroy(preference_);
    if (desc_ != nullptr) lt_.desc_destroy(desc_);
    if (handle_ != nullptr) lt_.destroy(handle_);
}

int MatrixProducts::propose(const Plan& plan, LtHeuristic* results, int wanted) const {
    int count = 0;
    check_lt(lt_.heuristics(handle_, desc_, plan.weight, plan.x, plan.y, plan.y, preference_,
                            wanted, results, &count),
             "heuristics");
    return count;
}

MatrixProducts::Plan& MatrixProducts::plan(const ProductShape& shape) {
    const auto known = plans_.find(shape);
    if (known != plans_.end()) return known->second;
    Plan plan;
    const auto m = static_cast<std::uint64_t>(shape.m);
    const auto n = static_cast<std::uint64_t>(shape.n);
    const auto k = static_cast<std::uint64_t>(shape.k);
    check_lt(lt_.layout_create(&plan.weight, kLtBf16, k, n, shape.k), "layout");
    check_lt(lt_.layout_create(&plan.x, kLtBf16, k, m, shape.k), "layout");
    check_lt(lt_.layout_create(&plan.y, shape.float_output ? kLtFloat32 : kLtBf16, n, m, shape.n),
             "layout");
    LtHeuristic first{};
    if (propose(plan, &first, 1) < 1) {
        throw DeviceFailure(kHeddleCudaBroken, "cuBLASLt has no kernel for a product");
    }
    plan.algorithm = first.algorithm;
    return plans_.emplace(shape, plan).first->second;
}

int MatrixProducts::multiply(const Plan& plan, const LtAlgorithm& algorithm, void* y, const bf16* x,
                             const bf16* weight, bool add, cudaStream_t stream) const {
    const float one = 1;
    const float beta = add ? 1 : 0;
    return lt_.matmul(handle_, desc_, &one, weight, plan.weight, x, plan.x, &beta, y, plan.y, y,
                      plan.y, &algorithm, workspace_, kWorkspaceBytes, stream);
}

void MatrixProducts::run(void* y, const bf16* x, const bf16* weight, const ProductShape& shape,
                         bool add, cudaStream_t stream) {
    const Plan& known = plan(shape);
    check_lt(multiply(known, known.algorithm, y, x, weight, add, stream), "product");
}

// The middle of some timed runs in ms; negative when the algorithm cannot run.
float MatrixProducts::time(const Plan& plan, const LtAlgorithm& algorithm, void* y, const bf16* x,
                           std::span<const bf16* const> weights, cudaStream_t stream) const {
    if (multiply(plan, algorithm, y, x, weights[0], false, stream) != 0) return -1;
    std::array<float, kRounds> times{};
    for (std::size_t i = 0; i < times.size(); ++i) {
        float& ms = times[i];
        const bf16* weight = weights[(i + 1) % weights.size()];
        check(cudaEventRecord(begin_, stream), "event");
        if (multiply(plan, algorithm, y, x, weight, false, stream) != 0) return -1;
        check(cudaEventRecord(end_, stream), "event");
        check(cudaEventSynchronize(end_), "a matrix product");
        check(cudaEventElapsedTime(&ms, begin_, end_), "event");
    }
    std::sort(times.begin(), times.end());
    return times[kRounds / 2];
}

void MatrixProducts::tune(void* y, const bf16* x, std::span<const bf16* const> weights,
                          const ProductShape& shape, cudaStream_t stream) {
    Plan& chosen = plan(shape);
    std::array<LtHeuristic, kProposals> proposals{};
    const int count = propose(chosen, proposals.data(), kProposals);
    float best = -1;
    for (int i = 0; i < count; ++i) {
        if (proposals[i].state != 0) continue;
        const float ms = time(chosen, proposals[i].algorithm, y, x, weights, stream);
        if (ms < 0 || (best >= 0 && ms >= best)) continue;
        best = ms;
        chosen.algorithm = proposals[i].algorithm;
    }
}

}  // namespace heddle::compute::cuda
