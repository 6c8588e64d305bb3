// The few entry points of cuBLASLt that the module calls, found at run time: the library is 500
// MB, lies with the driver's toolkit or with PyTorch, and is not needed to build. Names, numbers
// and layouts are those of cublasLt.h (cuBLAS 13 documentation, "Using the cuBLASLt API").
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace heddle::compute::cuda {

struct LtAlgorithm {
    std::uint64_t data[8];
};
struct LtHeuristic {
    LtAlgorithm algorithm;
    std::size_t workspace_bytes;
    int state;
    float waves;
    int reserved[4];
};

enum LtNumbers : std::int32_t {
    kLtFloat32 = 0,       // CUDA_R_32F
    kLtBf16 = 14,         // CUDA_R_16BF
    kLtCompute32 = 68,    // CUBLAS_COMPUTE_32F
    kLtTransposed = 1,    // CUBLAS_OP_T
    kLtTransposeA = 3,    // CUBLASLT_MATMUL_DESC_TRANSA
    kLtWorkspaceMax = 1,  // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
};

// Every function returns 0 or a cublasStatus_t.
struct CublasLt {
    int (*create)(void** handle);
    int (*destroy)(void* handle);
    int (*desc_create)(void** desc, int compute, int scale);
    int (*desc_destroy)(void* desc);
    int (*desc_set)(void* desc, int attribute, const void* value, std::size_t bytes);
    int (*layout_create)(void** layout, int type, std::uint64_t rows, std::uint64_t cols,
                         std::int64_t stride);
    int (*layout_destroy)(void* layout);
    int (*preference_create)(void** preference);
    int (*preference_destroy)(void* preference);
    int (*preference_set)(void* preference, int attribute, const void* value, std::size_t bytes);
    int (*heuristics)(void* handle, void* desc, void* a, void* b, void* c, void* d,
                      void* preference, int wanted, LtHeuristic* results, int* count);
    int (*matmul)(void* handle, void* desc, const void* alpha, const void* a, void* a_layout,
                  const void* b, void* b_layout, const void* beta, const void* c, void* c_layout,
                  void* d, void* d_layout, const LtAlgorithm* algorithm, void* workspace,
                  std::size_t workspace_bytes, cudaStream_t stream);

    // Loaded once and kept; throws kHeddleCudaUnavailable where there is none.
    static const CublasLt& get();
};

}  // namespace heddle::compute::cuda
