// The public evaluation sets, unpacked by tools/eval_data under build/eval_data.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace heddle::markup {

inline std::filesystem::path eval_data(const std::string& path) {
    return std::filesystem::path(HEDDLE_SOURCE_DIR) / "build" / "eval_data" / path;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace heddle::markup

#define HEDDLE_NEEDS_EVAL_DATA(path)                                                    \
    if (!std::filesystem::exists(::heddle::markup::eval_data(path))) {                  \
        GTEST_SKIP() << "no evaluation data: run tools/eval_data (looks in "            \
                        "$HEDDLE_EVAL_DATA, else in ../shared/data beside the source)"; \
    }
