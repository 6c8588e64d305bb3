// Enumerations inside running text: "1) The first item 2) The second item".
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace heddle::text {

// Where the items of enumerations begin in well-formed `text`, rising. Linear time.
[[nodiscard]] std::vector<std::size_t> find_list_marks(std::string_view text);

}  // namespace heddle::text
