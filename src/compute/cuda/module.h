// The CUDA module, loaded when it is wanted. Without it, or without a driver, the program is
// whole and says so.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "compute/cuda/device_api.h"

namespace heddle::compute::cuda {

// Immutable; stays loaded as long as anyone holds it. Thread-safe.
class Module {
public:
    // kUnavailable when there is no such file, when it cannot be loaded or when it speaks
    // another version of the interface.
    static Result<std::shared_ptr<const Module>> open(const std::filesystem::path& path);
    // One that is part of this program; `api` outlives it.
    static std::shared_ptr<const Module> linked(const HeddleCudaApi& api);
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    [[nodiscard]] const HeddleCudaApi& api() const { return *api_; }

private:
    Module(void* library, const HeddleCudaApi* api) : library_(library), api_(api) {}

    void* library_;
    const HeddleCudaApi* api_;
};

// What a function of the interface answered, as an outcome.
[[nodiscard]] Result<> outcome(int status, const HeddleCudaError& error);

}  // namespace heddle::compute::cuda
