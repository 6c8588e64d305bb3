// The text of one part of a Word document (the body, the notes) as blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/block_writer.h"
#include "ingest/docx/styles.h"
#include "ingest/package/xml.h"

namespace heddle::ingest::docx {

class BodyHandler final : public package::XmlHandler {
public:
    BodyHandler(BlockWriter& out, const Styles& styles) : out_(out), styles_(styles) {}

    void begin(const package::XmlElement& element) override;
    void text(std::string_view utf8) override;
    void end(package::XmlName name) override;

    // Letters that nobody would have seen, which were left out.
    [[nodiscard]] std::uint64_t hidden() const { return hidden_; }

private:
    struct Paragraph {
        std::string text;
        std::string style;
        std::uint8_t level = 0;
        bool numbered = false;
        bool unnumbered = false;  // the style's list is switched off here
        bool shaded = false;
    };
    struct Run {
        std::string text;
        bool vanished = false;
        bool white = false;
        bool shaded = false;
    };

    void begin_property(const package::XmlElement& element);
    void begin_paragraph_property(const package::XmlElement& element);
    void end_run();
    void end_paragraph();
    void end_row();
    void add(const Paragraph& paragraph);

    BlockWriter& out_;
    const Styles& styles_;
    // Open paragraphs: one in a text box stands inside another.
    std::vector<Paragraph> paragraphs_;
    std::vector<Run> runs_;
    std::vector<std::string> cells_;  // of the outermost table's row
    int tables_ = 0;                  // open, one inside another
    int skipped_ = 0;                 // open elements since one that is left out; 0 outside
    bool in_run_properties_ = false;
    bool in_text_ = false;
    bool cell_shaded_ = false;
    std::uint64_t hidden_ = 0;
};

}  // namespace heddle::ingest::docx
