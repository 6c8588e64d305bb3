// What the styles of a Word document say of its paragraphs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace heddle::ingest::docx {

class Styles {
public:
    // From word/styles.xml; damaged ones are read as far as they go.
    void read(std::string_view xml);

    // 1 to 6 for a heading's style, by its outline level or its name, else 0.
    [[nodiscard]] std::uint8_t heading_level(std::string_view style) const;
    [[nodiscard]] bool is_list(std::string_view style) const;

private:
    friend class StylesHandler;
    struct Style {
        std::string based_on;
        std::uint8_t level = 0;
        bool list = false;
    };
    template <class Fn>
    [[nodiscard]] const Style* find_upwards(std::string_view id, Fn wanted) const;

    std::unordered_map<std::string, Style> styles_;
};

// "0" to "8" of w:outlineLvl as a level of ours, 1 to 6; 0 for anything else.
[[nodiscard]] std::uint8_t level_of_outline(std::string_view value);

}  // namespace heddle::ingest::docx
