// XML read as a stream of events (expat). No entity may be declared and nothing outside the text
// is ever read, so a few bytes cannot become many and a file cannot name another one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heddle::ingest::package {

// Local names; namespaces as their URI, empty without one.
struct XmlName {
    std::string_view space;
    std::string_view local;
};

struct XmlAttribute {
    XmlName name;
    std::string_view value;
};

class XmlElement {
public:
    XmlElement(XmlName name, std::span<const XmlAttribute> attributes)
        : name_(name), attributes_(attributes) {}

    [[nodiscard]] XmlName name() const { return name_; }
    [[nodiscard]] bool is(std::string_view local) const { return name_.local == local; }
    // By its local name, whatever the namespace; empty when absent.
    [[nodiscard]] std::string_view attribute(std::string_view local) const;

private:
    XmlName name_;
    std::span<const XmlAttribute> attributes_;
};

// What reads a document. Views last for the call only.
class XmlHandler {
public:
    virtual ~XmlHandler() = default;
    virtual void begin(const XmlElement& element) = 0;
    virtual void text(std::string_view utf8) = 0;
    virtual void end(XmlName name) = 0;
};

// False where the text is not well formed, declares an entity, or nests deeper than 256 elements;
// what was read until then has been handed on.
[[nodiscard]] bool parse_xml(std::string_view bytes, XmlHandler& handler);

}  // namespace heddle::ingest::package
