#include "ingest/formats.h"

#include <array>

#include "ingest/pdf/pdf_reader.h"
#include "ingest/plain/plain_text.h"

namespace heddle::ingest {

std::span<const Format> formats() {
    static const std::array kFormats = {
        pdf::pdf_format(),
        plain::text_format(),
        plain::markdown_format(),
    };
    return kFormats;
}

const Format* find_format(std::string_view name) {
    for (const Format& format : formats()) {
        if (format.name == name) return &format;
    }
    return nullptr;
}

const Format* find_format_of_type(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find(';'));
    while (content_type.ends_with(' ')) content_type.remove_suffix(1);
    for (const Format& format : formats()) {
        if (format.content_type == content_type) return &format;
    }
    return nullptr;
}

}  // namespace heddle::ingest
