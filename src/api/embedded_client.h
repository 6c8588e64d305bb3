// The web client as it was built into this binary (ui/dist, cmake/heddle_client.cmake).
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace heddle::api {

struct EmbeddedFile {
    std::string_view path;    // "index.html", "assets/app-1A2B3C4D.js"
    std::string_view brotli;  // its content, compressed; lives as long as the program
};

[[nodiscard]] std::vector<EmbeddedFile> embedded_client();

}  // namespace heddle::api
