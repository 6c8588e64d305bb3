#include "ingest/docx/docx_reader.h"

#include <array>
#include <string>

#include "ingest/block_writer.h"
#include "ingest/docx/body_handler.h"
#include "ingest/docx/styles.h"
#include "ingest/package/part_path.h"
#include "ingest/package/xml.h"
#include "ingest/package/zip_archive.h"

namespace heddle::ingest::docx {
namespace {

using sandbox::Failure;

constexpr std::string_view kUsualBody = "word/document.xml";
// What Word makes of a document with a password: the older container around the encrypted one.
constexpr std::string_view kOldContainer = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
constexpr std::string_view kEncryptedPackage("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0", 26);

// The target of the relation to the main part, as seen from the root.
class RelationsHandler final : public package::XmlHandler {
public:
    void begin(const package::XmlElement& element) override {
        if (!element.is("Relationship")) return;
        if (!element.attribute("Type").ends_with("/officeDocument")) return;
        if (body_.empty()) body_ = package::resolve_part("", element.attribute("Target"));
    }
    void text(std::string_view) override {}
    void end(package::XmlName) override {}
    [[nodiscard]] const std::string& body() const { return body_; }

private:
    std::string body_;
};

class TitleHandler final : public package::XmlHandler {
public:
    void begin(const package::XmlElement& element) override { inside_ = element.is("title"); }
    void text(std::string_view utf8) override {
        if (inside_) title_ += utf8;
    }
    void end(package::XmlName) override { inside_ = false; }
    [[nodiscard]] const std::string& title() const { return title_; }

private:
    std::string title_;
    bool inside_ = false;
};

class DocxReader final : public FormatReader {
public:
    explicit DocxReader(ParseLimits limits) : limits_(limits) {}

    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        if (bytes.starts_with(kOldContainer)) {
            const bool encrypted = bytes.find(kEncryptedPackage) != std::string_view::npos;
            return tl::unexpected(encrypted ? Failure::kEncrypted : Failure::kDamaged);
        }
        auto archive = package::ZipArchive::open(bytes);
        if (!archive) return tl::unexpected(archive.error());
        const std::string body_name = find_body(*archive);
        BlockWriter blocks(out, limits_);
        TitleHandler title;
        read_part(*archive, "docProps/core.xml", title);
        blocks.title(title.title());
        Styles styles;
        if (const auto xml = read_beside(*archive, body_name, "styles.xml")) styles.read(*xml);
        const auto body = archive->read(body_name);
        if (!body) return tl::unexpected(body.error());
        BodyHandler handler(blocks, styles);
        if (!package::parse_xml(*body, handler)) return tl::unexpected(Failure::kDamaged);
        std::uint64_t hidden = handler.hidden();
        for (const char* notes : {"footnotes.xml", "endnotes.xml"}) {
            const auto xml = read_beside(*archive, body_name, notes);
            if (!xml) continue;
            BodyHandler reader(blocks, styles);
            (void)package::parse_xml(*xml, reader);
            hidden += reader.hidden();
        }
        if (hidden > 0) out.hidden(hidden);
        return blocks.finish();
    }

private:
    static std::string find_body(package::ZipArchive& archive) {
        RelationsHandler relations;
        read_part(archive, "_rels/.rels", relations);
        const bool there = !relations.body().empty() && archive.contains(relations.body());
        return there ? relations.body() : std::string(kUsualBody);
    }

    // Parts that a document can be without.
    static void read_part(package::ZipArchive& archive, std::string_view name,
                          package::XmlHandler& handler) {
        if (!archive.contains(name)) return;
        if (const auto xml = archive.read(name)) (void)package::parse_xml(*xml, handler);
    }
    static tl::expected<std::string, Failure> read_beside(package::ZipArchive& archive,
                                                          std::string_view body,
                                                          std::string_view name) {
        return archive.read(package::resolve_part(body, name));
    }

    const ParseLimits limits_;
};

bool recognises(std::string_view head) {
    if (head.starts_with(kOldContainer)) return true;
    return head.starts_with("PK\x03\x04") &&
           head.find("mimetypeapplication/") == std::string_view::npos;
}

std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    return std::make_unique<DocxReader>(options.limits);
}

constexpr std::array<std::string_view, 2> kExtensions = {"docx", "docm"};
constexpr std::array<std::string_view, 1> kOtherTypes = {
    "application/vnd.ms-word.document.macroenabled.12"};

}  // namespace

const Format& docx_format() {
    static constexpr Format kFormat{
        .name = "docx",
        .content_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        .other_types = kOtherTypes,
        .extensions = kExtensions,
        .recognises = recognises,
        .open = open};
    return kFormat;
}

}  // namespace heddle::ingest::docx
