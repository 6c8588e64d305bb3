// The models of a server as its operator sees them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::service {

enum class ModelKind { kLocal, kUpstream, kExtractive, kEmbedder };
[[nodiscard]] constexpr std::string_view to_string(ModelKind kind) {
    constexpr std::string_view kNames[] = {"local", "upstream", "extractive", "embedder"};
    return kNames[static_cast<std::size_t>(kind)];
}

struct ModelStatus {
    std::string id;
    ModelKind kind = ModelKind::kLocal;
    bool loaded = true;
    bool can_change = false;           // load and unload work on it
    std::uint64_t memory_bytes = 0;    // that it holds, as far as known; 0 elsewhere
    std::uint32_t context_tokens = 0;  // 0 when unknown
};

}  // namespace heddle::service
