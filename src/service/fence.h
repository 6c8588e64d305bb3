// A text from outside between tags of ours: data for a model, which it cannot end by itself.
#pragma once

#include <string>
#include <string_view>

namespace heddle::service {

// The text with every "<tag" and "</tag" in it broken by a space. Pure; any thread.
[[nodiscard]] std::string without_tag(std::string_view text, std::string_view tag);

}  // namespace heddle::service
