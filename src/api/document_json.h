// Documents on the wire.
#pragma once

#include <nlohmann/json.hpp>

#include "service/documents.h"

namespace heddle::api {

[[nodiscard]] nlohmann::json to_json(const service::DocumentInfo& document);
[[nodiscard]] nlohmann::json to_json(const service::ChunkInfo& chunk);

}  // namespace heddle::api
