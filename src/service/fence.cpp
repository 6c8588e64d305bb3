#include "service/fence.h"

namespace heddle::service {

std::string without_tag(std::string_view text, std::string_view tag) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (text[i] != '<') continue;
        std::string_view after = text.substr(i + 1);
        if (after.starts_with('/')) after.remove_prefix(1);
        if (after.starts_with(tag)) out += ' ';
    }
    return out;
}

}  // namespace heddle::service
