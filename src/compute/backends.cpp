#include "compute/backends.h"

#include <string>

#include "compute/cpu/cpu_backend.h"
#include "compute/reference/reference_backend.h"

namespace heddle::compute {

Result<std::unique_ptr<Backend>> make_backend(std::string_view name, const BackendConfig& config) {
    if (config.threads < 1) {
        return fail(ErrorCode::kInvalidArgument, "a backend needs at least one thread");
    }
    if (config.isa != cpu::IsaLevel::kBest && config.isa > cpu::detect_isa()) {
        return fail(ErrorCode::kInvalidArgument,
                    "this processor has no " + std::string(cpu::to_string(config.isa)));
    }
    if (name == "reference") return std::make_unique<reference::ReferenceBackend>();
    if (name == "cpu") return std::make_unique<cpu::CpuBackend>(config.threads, config.isa);
    return fail(ErrorCode::kInvalidArgument, "no backend is called " + std::string(name));
}

}  // namespace heddle::compute
