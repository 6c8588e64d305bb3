// What the settings and the environment say of the model hub and of the models that were pulled.
#pragma once

#include "app/config.h"
#include "base/result.h"
#include "upstream/hub_client.h"
#include "upstream/model_store.h"

namespace heddle::app {

inline constexpr const char* kDefaultHub = "https://huggingface.co";

// DATA/models.
[[nodiscard]] upstream::ModelStore model_store(const Config& config);

// The hub: --hub, HEDDLE_HUB, HF_ENDPOINT, else the public one. The token: --hub-token-file, else
// HF_TOKEN, else none. kInvalidArgument for a file that cannot be read.
[[nodiscard]] Result<upstream::HubOptions> hub_options(const Config& config);

// A path as it is, or the name of a pulled model (owner/model[:file]) as the path that
// model::ModelFiles opens.
[[nodiscard]] Result<std::string> resolve_model(const Config& config, const std::string& given);

}  // namespace heddle::app
