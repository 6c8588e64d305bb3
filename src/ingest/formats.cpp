#include "ingest/formats.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "ingest/csv/csv_reader.h"
#include "ingest/docx/docx_reader.h"
#include "ingest/epub/epub_reader.h"
#include "ingest/html/html_reader.h"
#include "ingest/pdf/pdf_reader.h"
#include "ingest/plain/plain_text.h"

namespace heddle::ingest {
namespace {

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

bool contains(std::span<const std::string_view> list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::span<const Format> formats() {
    static const std::array kFormats = {
        pdf::pdf_format(), plain::text_format(), plain::markdown_format(), html::html_format(),
        csv::csv_format(), docx::docx_format(),  epub::epub_format(),
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
    std::string type = lower_case(content_type.substr(0, content_type.find(';')));
    while (type.ends_with(' ')) type.pop_back();
    for (const Format& format : formats()) {
        if (format.content_type == type || contains(format.other_types, type)) return &format;
    }
    return nullptr;
}

const Format* find_format_of_file(std::string_view file_name) {
    const std::size_t dot = file_name.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    const std::string extension = lower_case(file_name.substr(dot + 1));
    for (const Format& format : formats()) {
        if (contains(format.extensions, extension)) return &format;
    }
    return nullptr;
}

}  // namespace heddle::ingest
