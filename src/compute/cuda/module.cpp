#include "compute/cuda/module.h"

#include <dlfcn.h>

#include <string>
#include <string_view>

namespace heddle::compute::cuda {

Result<std::shared_ptr<const Module>> Module::open(const std::filesystem::path& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return fail(ErrorCode::kUnavailable,
                    "the CUDA module (" + path.filename().string() +
                        ") is not there or cannot be loaded; build it with HEDDLE_CUDA=ON");
    }
    using Entry = const HeddleCudaApi*();
    const auto entry = reinterpret_cast<Entry*>(dlsym(library, "heddle_cuda_api"));
    const HeddleCudaApi* api = entry == nullptr ? nullptr : entry();
    if (api == nullptr || api->version != kHeddleCudaApiVersion) {
        dlclose(library);
        return fail(ErrorCode::kUnavailable, "the CUDA module is of another version");
    }
    return std::shared_ptr<const Module>(new Module(library, api));
}

std::shared_ptr<const Module> Module::linked(const HeddleCudaApi& api) {
    return std::shared_ptr<const Module>(new Module(nullptr, &api));
}

Module::~Module() {
    if (library_ != nullptr) dlclose(library_);
}

Result<> outcome(int status, const HeddleCudaError& error) {
    const std::string message(error.message,
                              std::string_view(error.message, sizeof(error.message)).find('\0'));
    switch (status) {
        case kHeddleCudaOk:
            return {};
        case kHeddleCudaInvalid:
            return fail(ErrorCode::kInvalidArgument, message);
        case kHeddleCudaUnavailable:
            return fail(ErrorCode::kUnavailable, message);
        default:
            return fail(ErrorCode::kInternal, "the GPU failed: " + message);
    }
}

}  // namespace heddle::compute::cuda
