#include "ingest/epub/package_document.h"

#include <unordered_map>
#include <utility>

#include "ingest/package/part_path.h"
#include "ingest/package/xml.h"

namespace heddle::ingest::epub {
namespace {

using package::XmlElement;
using package::XmlName;

constexpr std::size_t kTextsMax = 5'000;

class PackageHandler final : public package::XmlHandler {
public:
    explicit PackageHandler(std::string_view path) : path_(path) {}

    void begin(const XmlElement& element) override {
        in_title_ = element.is("title") && document_.title.empty();
        if (element.is("item")) add_item(element);
        if (element.is("itemref") && order_.size() < kTextsMax)
            order_.emplace_back(element.attribute("idref"));
    }
    void text(std::string_view utf8) override {
        if (in_title_) document_.title += utf8;
    }
    void end(XmlName) override { in_title_ = false; }

    PackageDocument take() {
        for (const std::string& id : order_) {
            const auto found = texts_.find(id);
            if (found != texts_.end()) document_.texts.push_back(found->second);
        }
        return std::move(document_);
    }

private:
    // Pictures and the like may stand in the order of reading too.
    void add_item(const XmlElement& element) {
        const std::string_view type = element.attribute("media-type");
        if (type != "application/xhtml+xml" && type != "text/html") return;
        texts_.try_emplace(std::string(element.attribute("id")),
                           package::resolve_part(path_, element.attribute("href")));
    }

    const std::string_view path_;
    PackageDocument document_;
    std::unordered_map<std::string, std::string> texts_;  // by the item's id
    std::vector<std::string> order_;
    bool in_title_ = false;
};

// Collects one attribute of one kind of element.
class AttributeHandler final : public package::XmlHandler {
public:
    AttributeHandler(std::string_view element, std::string_view attribute)
        : element_(element), attribute_(attribute) {}

    void begin(const XmlElement& element) override {
        if (element.is(element_) && found_.size() < kTextsMax)
            found_.push_back(package::resolve_part("", element.attribute(attribute_)));
    }
    void text(std::string_view) override {}
    void end(XmlName) override {}
    std::vector<std::string> take() { return std::move(found_); }

private:
    const std::string_view element_;
    const std::string_view attribute_;
    std::vector<std::string> found_;
};

}  // namespace

PackageDocument read_package_document(std::string_view xml, std::string_view path) {
    PackageHandler handler(path);
    (void)package::parse_xml(xml, handler);
    return handler.take();
}

std::string read_container(std::string_view xml) {
    AttributeHandler handler("rootfile", "full-path");
    (void)package::parse_xml(xml, handler);
    const std::vector<std::string> found = handler.take();
    return found.empty() ? std::string() : found.front();
}

std::vector<std::string> read_encryption(std::string_view xml) {
    AttributeHandler handler("CipherReference", "URI");
    (void)package::parse_xml(xml, handler);
    return handler.take();
}

}  // namespace heddle::ingest::epub
