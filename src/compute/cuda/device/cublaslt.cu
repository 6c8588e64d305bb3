#include <dlfcn.h>

#include <string>

#include "compute/cuda/device/cublaslt.h"
#include "compute/cuda/device/device_failure.h"

namespace heddle::compute::cuda {
namespace {

template <class Function>
void find(void* library, const char* name, Function*& function) {
    void* symbol = dlsym(library, name);
    if (symbol == nullptr) {
        throw DeviceFailure(kHeddleCudaUnavailable,
                            std::string("the cuBLASLt library lacks ") + name);
    }
    function = reinterpret_cast<Function*>(symbol);
}

CublasLt load() {
    void* library = dlopen("libcublasLt.so.13", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw DeviceFailure(kHeddleCudaUnavailable,
                            "libcublasLt.so.13 (cuBLAS of CUDA 13) is not on the library path");
    }
    CublasLt lt{};
    find(library, "cublasLtCreate", lt.create);
    find(library, "cublasLtDestroy", lt.destroy);
    find(library, "cublasLtMatmulDescCreate", lt.desc_create);
    find(library, "cublasLtMatmulDescDestroy", lt.desc_destroy);
    find(library, "cublasLtMatmulDescSetAttribute", lt.desc_set);
    find(library, "cublasLtMatrixLayoutCreate", lt.layout_create);
    find(library, "cublasLtMatrixLayoutDestroy", lt.layout_destroy);
    find(library, "cublasLtMatmulPreferenceCreate", lt.preference_create);
    find(library, "cublasLtMatmulPreferenceDestroy", lt.preference_destroy);
    find(library, "cublasLtMatmulPreferenceSetAttribute", lt.preference_set);
    find(library, "cublasLtMatmulAlgoGetHeuristic", lt.heuristics);
    find(library, "cublasLtMatmul", lt.matmul);
    return lt;
}

}  // namespace

const CublasLt& CublasLt::get() {
    static const CublasLt lt = load();
    return lt;
}

}  // namespace heddle::compute::cuda
