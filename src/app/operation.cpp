#include "app/operation.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "service/extractive.h"

namespace heddle::app {
namespace {

// The second number of /proc/self/statm, in pages.
std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) return 0;
    std::uint64_t pages = 0;
    std::from_chars(text.data() + space + 1, text.data() + text.size(), pages);
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t weights_in(const std::string& folder) {
    std::error_code ec;
    const auto bytes = std::filesystem::file_size(folder + "/model.safetensors", ec);
    return ec ? 0 : bytes;
}

service::ModelKind kind_of(const service::ModelInfo& model) {
    if (model.id == service::kExtractiveModel) return service::ModelKind::kExtractive;
    return model.owned_by == "heddle" ? service::ModelKind::kLocal : service::ModelKind::kUpstream;
}

// Weights are mapped files, which the kernel may drop; the key-value memory is the model's own.
std::uint64_t held_by(const House& house, const std::string& name) {
    if (!house.models) return 0;
    const auto model = house.models->find(name);
    return model ? (*model)->kv_bytes() : 0;
}

std::vector<service::ModelStatus> models_of(const House& house) {
    std::vector<service::ModelStatus> list;
    for (const service::ModelInfo& model : house.answerer->models()) {
        list.push_back({.id = model.id,
                        .kind = kind_of(model),
                        .memory_bytes = held_by(house, model.id),
                        .context_tokens = model.context_tokens});
    }
    if (house.embedder) {
        const std::string folder = house.config.embedder.empty()
                                       ? find_assets(house.config).embedder
                                       : house.config.embedder;
        list.push_back({.id = house.embedder->info().id,
                        .kind = service::ModelKind::kEmbedder,
                        .memory_bytes = weights_in(folder)});
    }
    return list;
}

}  // namespace

api::Operation operation_of(House& house, std::shared_ptr<RecentErrors> errors) {
    api::Operation operation;
    operation.models = [&house] { return models_of(house); };
    operation.resident_bytes = resident_bytes;
    if (errors) operation.recent_errors = [errors] { return errors->lines(); };
    return operation;
}

}  // namespace heddle::app
