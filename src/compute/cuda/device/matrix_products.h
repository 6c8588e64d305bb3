// Y [m, n] = X [m, k] W^T by cuBLASLt. For the shapes that are tuned the library's best proposals
// are timed once, at start; for others its first proposal is taken, and remembered.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "compute/cuda/device/cublaslt.h"
#include "compute/cuda/device/kernels.h"

namespace heddle::compute::cuda {

struct ProductShape {
    int m = 0, n = 0, k = 0;
    bool float_output = false;  // Y is fp32, else bf16
    auto operator<=>(const ProductShape&) const = default;
};

// One thread, one device.
class MatrixProducts {
public:
    static constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

    MatrixProducts();
    ~MatrixProducts();
    MatrixProducts(const MatrixProducts&) = delete;
    MatrixProducts& operator=(const MatrixProducts&) = delete;

    // y += where `add` is set.
    void run(void* y, const bf16* x, const bf16* weight, const ProductShape& shape, bool add,
             cudaStream_t stream);
    // Times the proposals for a shape; `y` is overwritten. `weights` are matrices of this shape
    // to go through in turn, so that they come from memory as they will in a step.
    void tune(void* y, const bf16* x, std::span<const bf16* const> weights,
              const ProductShape& shape, cudaStream_t stream);

private:
    struct Plan {
        void* x = nullptr;  // layouts; that of the weights is weight
        void* y = nullptr;
        void* weight = nullptr;
        LtAlgorithm algorithm{};
    };

    Plan& plan(const ProductShape& shape);
    int propose(const Plan& plan, LtHeuristic* results, int wanted) const;
    int multiply(const Plan& plan, const LtAlgorithm& algorithm, void* y, const bf16* x,
                 const bf16* weight, bool add, cudaStream_t stream) const;
    float time(const Plan& plan, const LtAlgorithm& algorithm, void* y, const bf16* x,
               std::span<const bf16* const> weights, cudaStream_t stream) const;

    const CublasLt& lt_;
    void* handle_ = nullptr;
    void* desc_ = nullptr;
    void* preference_ = nullptr;
    void* workspace_ = nullptr;
    cudaEvent_t begin_ = nullptr;
    cudaEvent_t end_ = nullptr;
    std::map<ProductShape, Plan> plans_;
};

}  // namespace heddle::compute::cuda
