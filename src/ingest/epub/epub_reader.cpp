#include "ingest/epub/epub_reader.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "ingest/block_writer.h"
#include "ingest/epub/package_document.h"
#include "ingest/package/zip_archive.h"
#include "ingest/plain/plain_text.h"
#include "markup/charset.h"
#include "markup/html.h"
#include "markup/main_text.h"

namespace heddle::ingest::epub {
namespace {

using sandbox::Failure;

constexpr std::string_view kContainer = "META-INF/container.xml";
constexpr std::string_view kEncryption = "META-INF/encryption.xml";

constexpr std::array<std::string_view, 13> kEmptyElements = {
    "area",  "base", "br",   "col",    "embed", "hr", "img",
    "input", "link", "meta", "source", "track", "wbr"};

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '-' || c == '_';
}

// One past the ">" of the tag that begins at `at`; quoted values may hold one too.
std::size_t end_of_tag(std::string_view text, std::size_t at) {
    char quote = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return i + 1;
        }
    }
    return text.size();
}

// A font that is obfuscated is no locked book; a text that is listed is.
bool is_locked(package::ZipArchive& archive, const PackageDocument& book) {
    if (!archive.contains(kEncryption)) return false;
    const auto xml = archive.read(kEncryption);
    if (!xml) return false;
    const std::vector<std::string> locked = read_encryption(*xml);
    return std::any_of(book.texts.begin(), book.texts.end(), [&](const std::string& text) {
        return std::find(locked.begin(), locked.end(), text) != locked.end();
    });
}

class EpubReader final : public FormatReader {
public:
    explicit EpubReader(ParseLimits limits) : limits_(limits) {}

    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        auto archive = package::ZipArchive::open(bytes);
        if (!archive) return tl::unexpected(archive.error());
        const auto container = archive->read(kContainer);
        if (!container) return tl::unexpected(container.error());
        const std::string path = read_container(*container);
        const auto package_xml = archive->read(path);
        if (!package_xml) return tl::unexpected(package_xml.error());
        const PackageDocument book = read_package_document(*package_xml, path);
        if (is_locked(*archive, book)) return tl::unexpected(Failure::kEncrypted);

        BlockWriter blocks(out, limits_);
        blocks.title(book.title);
        std::uint64_t hidden = 0;
        for (const std::string& name : book.texts) {
            if (blocks.full()) break;
            // A book without one of its chapters is still a book.
            if (!archive->contains(name)) continue;
            const auto xhtml = archive->read(name);
            if (!xhtml) return tl::unexpected(xhtml.error());
            hidden += read_text(*xhtml, blocks);
        }
        if (hidden > 0) out.hidden(hidden);
        return blocks.finish();
    }

private:
    // The characters that no reader would have seen.
    static std::uint64_t read_text(std::string_view xhtml, BlockWriter& blocks) {
        const markup::DecodedText decoded = markup::decode_text(xhtml, {}, /*is_html=*/true);
        const std::string html = with_end_tags(decoded.utf8);
        const markup::HtmlTree tree = markup::HtmlTree::parse(html);
        const markup::VisibleText text = markup::visible_text(tree);
        blocks.add(plain::read_blocks(text.markdown, plain::Dialect::kMarkdown));
        return text.invisible_characters;
    }

    const ParseLimits limits_;
};

// The first file of the archive is "mimetype", stored as it is.
bool recognises(std::string_view head) {
    return head.starts_with("PK\x03\x04") &&
           head.find("mimetypeapplication/epub+zip") != std::string_view::npos;
}

std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    return std::make_unique<EpubReader>(options.limits);
}

constexpr std::array<std::string_view, 1> kExtensions = {"epub"};

}  // namespace

std::string with_end_tags(std::string_view xhtml) {
    std::string out;
    out.reserve(xhtml.size() + xhtml.size() / 16);
    std::size_t at = 0;
    while (at < xhtml.size()) {
        const std::size_t open = std::min(xhtml.find('<', at), xhtml.size());
        out += xhtml.substr(at, open - at);
        if (open == xhtml.size()) break;
        if (xhtml.substr(open).starts_with("<!--")) {
            const std::size_t close = xhtml.find("-->", open);
            at = close == std::string_view::npos ? xhtml.size() : close + 3;
            out += xhtml.substr(open, at - open);
            continue;
        }
        at = end_of_tag(xhtml, open);
        const std::string_view tag = xhtml.substr(open, at - open);
        std::size_t name_end = 1;
        while (name_end < tag.size() && is_name_character(tag[name_end])) ++name_end;
        const std::string_view name = tag.substr(1, name_end - 1);
        const bool empty =
            std::find(kEmptyElements.begin(), kEmptyElements.end(), name) != kEmptyElements.end();
        if (!tag.ends_with("/>") || name.empty() || empty) {
            out += tag;
            continue;
        }
        out += tag.substr(0, tag.size() - 2);
        out += "></";
        out += name;
        out += '>';
    }
    return out;
}

const Format& epub_format() {
    static constexpr Format kFormat{.name = "epub",
                                    .content_type = "application/epub+zip",
                                    .other_types = {},
                                    .extensions = kExtensions,
                                    .recognises = recognises,
                                    .open = open};
    return kFormat;
}

}  // namespace heddle::ingest::epub
