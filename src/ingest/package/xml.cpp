#include "ingest/package/xml.h"

#include <expat.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <vector>

#include <climits>

namespace heddle::ingest::package {
namespace {

constexpr int kDepthMax = 256;
constexpr XML_Char kSeparator = '\n';  // cannot stand in a namespace or a name

XmlName split(std::string_view name) {
    const std::size_t at = name.find(kSeparator);
    if (at == std::string_view::npos) return {{}, name};
    return {name.substr(0, at), name.substr(at + 1)};
}

// Exceptions do not pass through expat's C code: they are kept, and thrown when it has returned.
class Reader {
public:
    explicit Reader(XmlHandler& handler)
        : handler_(handler), parser_(XML_ParserCreateNS(nullptr, kSeparator), XML_ParserFree) {
        if (!parser_) throw std::bad_alloc();
        XML_SetUserData(parser_.get(), this);
        XML_SetElementHandler(parser_.get(), on_begin, on_end);
        XML_SetCharacterDataHandler(parser_.get(), on_text);
        XML_SetEntityDeclHandler(parser_.get(), on_entity);
    }

    bool run(std::string_view bytes) {
        if (bytes.size() > INT_MAX) return false;
        const bool whole = XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()),
                                     /*isFinal=*/1) == XML_STATUS_OK;
        if (thrown_) std::rethrow_exception(thrown_);
        return whole;
    }

private:
    template <class Fn>
    void guarded(Fn fn) {
        try {
            if (!thrown_) fn();
        } catch (...) {
            thrown_ = std::current_exception();
            XML_StopParser(parser_.get(), XML_FALSE);
        }
    }

    static void on_begin(void* self, const XML_Char* name, const XML_Char** attributes) {
        auto& reader = *static_cast<Reader*>(self);
        if (++reader.depth_ > kDepthMax) {
            XML_StopParser(reader.parser_.get(), XML_FALSE);
            return;
        }
        reader.guarded([&] {
            reader.attributes_.clear();
            for (; *attributes != nullptr; attributes += 2)
                reader.attributes_.push_back({split(attributes[0]), attributes[1]});
            reader.handler_.begin(XmlElement(split(name), reader.attributes_));
        });
    }
    static void on_end(void* self, const XML_Char* name) {
        auto& reader = *static_cast<Reader*>(self);
        --reader.depth_;
        reader.guarded([&] { reader.handler_.end(split(name)); });
    }
    static void on_text(void* self, const XML_Char* text, int length) {
        auto& reader = *static_cast<Reader*>(self);
        reader.guarded(
            [&] { reader.handler_.text({text, static_cast<std::size_t>(std::max(length, 0))}); });
    }
    static void on_entity(void* self, const XML_Char*, int, const XML_Char*, int, const XML_Char*,
                          const XML_Char*, const XML_Char*, const XML_Char*) {
        XML_StopParser(static_cast<Reader*>(self)->parser_.get(), XML_FALSE);
    }

    XmlHandler& handler_;
    std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser_;
    std::vector<XmlAttribute> attributes_;
    std::exception_ptr thrown_;
    int depth_ = 0;
};

}  // namespace

std::string_view XmlElement::attribute(std::string_view local) const {
    for (const XmlAttribute& attribute : attributes_) {
        if (attribute.name.local == local) return attribute.value;
    }
    return {};
}

bool parse_xml(std::string_view bytes, XmlHandler& handler) {
    return Reader(handler).run(bytes);
}

}  // namespace heddle::ingest::package
