#include "app/hub_settings.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "app/environment.h"

namespace heddle::app {

upstream::ModelStore model_store(const Config& config) {
    return upstream::ModelStore(std::filesystem::path(config.data) / "models");
}

Result<upstream::HubOptions> hub_options(const Config& config) {
    upstream::HubOptions options;
    options.base_url = config.hub.empty() ? environment_variable("HF_ENDPOINT") : config.hub;
    if (options.base_url.empty()) options.base_url = kDefaultHub;
    options.token = environment_variable("HF_TOKEN");
    if (config.hub_token_file.empty()) return options;
    std::ifstream file(config.hub_token_file);
    if (!std::getline(file, options.token) || !http::is_field_value(options.token)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("--hub-token-file: {} cannot be read or is no token",
                                config.hub_token_file));
    }
    return options;
}

Result<std::string> resolve_model(const Config& config, const std::string& given) {
    std::error_code ec;
    if (std::filesystem::exists(given, ec)) return given;
    if (!upstream::parse_hub_name(given)) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("{} is neither a file, a folder nor the name of a model", given));
    }
    HEDDLE_TRY(const std::filesystem::path path, model_store(config).find(given));
    return path.string();
}

}  // namespace heddle::app
