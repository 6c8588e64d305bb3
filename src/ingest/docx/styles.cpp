#include "ingest/docx/styles.h"

#include <algorithm>
#include <cctype>

#include "ingest/package/xml.h"

namespace heddle::ingest::docx {
namespace {

constexpr int kParentsMax = 16;
constexpr std::uint8_t kLevelMax = 6;

// Names of the built-in styles are English in files of every language.
std::uint8_t level_of_name(std::string_view given) {
    std::string name(given);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    constexpr std::string_view kHeading = "heading ";
    if (name == "title") return 1;
    if (!name.starts_with(kHeading) || name.size() != kHeading.size() + 1) return 0;
    const char digit = name.back();
    if (digit < '1' || digit > '9') return 0;
    return std::min(static_cast<std::uint8_t>(digit - '0'), kLevelMax);
}

}  // namespace

class StylesHandler final : public package::XmlHandler {
public:
    explicit StylesHandler(Styles& styles) : styles_(styles) {}

    void begin(const package::XmlElement& element) override {
        if (element.is("style")) {
            id_ = element.attribute("styleId");
            style_ = {};
        } else if (element.is("name")) {
            if (style_.level == 0) style_.level = level_of_name(element.attribute("val"));
        } else if (element.is("basedOn")) {
            style_.based_on = element.attribute("val");
        } else if (element.is("outlineLvl")) {
            if (const auto level = level_of_outline(element.attribute("val")); level > 0)
                style_.level = level;
        } else if (element.is("numPr")) {
            style_.list = true;
        }
    }
    void text(std::string_view) override {}
    void end(package::XmlName name) override {
        if (name.local == "style" && !id_.empty()) styles_.styles_.try_emplace(id_, style_);
    }

private:
    Styles& styles_;
    std::string id_;
    Styles::Style style_;
};

std::uint8_t level_of_outline(std::string_view value) {
    if (value.size() != 1 || value[0] < '0' || value[0] > '8') return 0;
    return std::min(static_cast<std::uint8_t>(value[0] - '0' + 1), kLevelMax);
}

void Styles::read(std::string_view xml) {
    StylesHandler handler(*this);
    (void)package::parse_xml(xml, handler);
}

template <class Fn>
const Styles::Style* Styles::find_upwards(std::string_view id, Fn wanted) const {
    std::string at(id);
    // Styles that are based on each other in a circle end with the count.
    for (int i = 0; i < kParentsMax && !at.empty(); ++i) {
        const auto found = styles_.find(at);
        if (found == styles_.end()) return nullptr;
        if (wanted(found->second)) return &found->second;
        at = found->second.based_on;
    }
    return nullptr;
}

std::uint8_t Styles::heading_level(std::string_view style) const {
    const Style* found = find_upwards(style, [](const Style& s) { return s.level > 0; });
    return found == nullptr ? 0 : found->level;
}

bool Styles::is_list(std::string_view style) const {
    return find_upwards(style, [](const Style& s) { return s.list; }) != nullptr;
}

}  // namespace heddle::ingest::docx
