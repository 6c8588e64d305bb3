// Loads the language models that --model names.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.h"
#include "base/metrics.h"
#include "base/result.h"
#include "service/local_model.h"

namespace heddle::app {

// The name and the path of "[NAME=]PATH"; without a name it is that of the folder, or of the file
// without ".gguf".
[[nodiscard]] std::pair<std::string, std::string> parse_model(std::string_view setting);

// In the order of the settings. The error names the setting and what is wrong with the model.
[[nodiscard]] Result<std::vector<std::shared_ptr<service::LocalModel>>> load_models(
    const Config& config, Metrics& metrics);

}  // namespace heddle::app
