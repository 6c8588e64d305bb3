#include "fetch/content_type.h"

#include <algorithm>
#include <array>
#include <string>

namespace heddle::fetch {

namespace {

std::string essence_of(std::string_view content_type) {
    std::string essence;
    for (const char c : content_type.substr(0, content_type.find(';'))) {
        if (c != ' ' && c != '\t') essence += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return essence;
}

// Beginnings of formats that are sent under a text type by mistake or on purpose.
constexpr std::array kBinary =
    std::to_array<std::string_view>({"\x89PNG", "GIF8", "\xFF\xD8\xFF", "PK\x03\x04", "\x1F\x8B",
                                     "\x7F"
                                     "ELF",
                                     "MZ\x90", "RIFF", "OggS", "ID3", "\xD0\xCF\x11\xE0",
                                     "7z\xBC\xAF", "Rar!", "wOFF", "wOF2", "BM6"});

bool looks_binary(std::string_view bytes) {
    if (std::any_of(kBinary.begin(), kBinary.end(),
                    [&](std::string_view magic) { return bytes.starts_with(magic); })) {
        return true;
    }
    // UTF-16 has zeros, other text has none and hardly any control characters.
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return false;
    const std::string_view head = bytes.substr(0, 4096);
    const auto controls = std::count_if(head.begin(), head.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && byte != 0x1B;
    });
    return static_cast<std::size_t>(controls) * 20 > head.size();
}

}  // namespace

ContentKind kind_of_type(std::string_view content_type) {
    const std::string essence = essence_of(content_type);
    if (essence.empty() || essence == "text/html" || essence == "application/xhtml+xml") {
        return ContentKind::kHtml;
    }
    if (essence == "application/pdf" || essence == "application/x-pdf") return ContentKind::kPdf;
    if (essence == "text/plain" || essence == "text/markdown") return ContentKind::kText;
    return ContentKind::kOther;
}

ContentKind kind_of_content(std::string_view content_type, std::string_view bytes) {
    const ContentKind stated = kind_of_type(content_type);
    // Readers accept the mark within the first kilobyte.
    const bool is_pdf = bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos;
    if (stated == ContentKind::kPdf) return is_pdf ? ContentKind::kPdf : ContentKind::kOther;
    if (stated == ContentKind::kOther) return ContentKind::kOther;
    if (bytes.starts_with("%PDF-")) return ContentKind::kPdf;
    return looks_binary(bytes) ? ContentKind::kOther : stated;
}

}  // namespace heddle::fetch
