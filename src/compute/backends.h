// The list of backends. A new one is a folder, a line here and in backends.cpp, and passes the
// conformance test (conformance_test.cpp).
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "compute/backend.h"
#include "compute/cpu/isa.h"

namespace heddle::compute {

struct BackendConfig {
    int threads = 1;  // of the CPU backend, the caller counted
    // The CPU paths to be used at most; tests force lower ones. kBest takes what the CPU has.
    cpu::IsaLevel isa = cpu::IsaLevel::kBest;
};

// name: "reference" or "cpu". kInvalidArgument for another, or for an ISA the CPU lacks.
[[nodiscard]] Result<std::unique_ptr<Backend>> make_backend(std::string_view name,
                                                            const BackendConfig& config);

}  // namespace heddle::compute
