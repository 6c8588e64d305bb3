// RFC 4648, section 4, with padding.
#pragma once

#include <string>
#include <string_view>

namespace heddle::api {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

}  // namespace heddle::api
