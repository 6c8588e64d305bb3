#include "ingest/docx/body_handler.h"

#include <algorithm>
#include <array>

#include "text/utf8.h"

namespace heddle::ingest::docx {
namespace {

using package::XmlElement;
using package::XmlName;

// Word's copy of a drawing for older readers; what tracked changes have taken away; the marks that
// part notes from the text.
constexpr std::array<std::string_view, 5> kLeftOut = {"Fallback", "del", "moveFrom", "instrText",
                                                      "rt"};

bool is_left_out(const XmlElement& element) {
    const auto is_it = [&](std::string_view name) { return element.is(name); };
    if (std::any_of(kLeftOut.begin(), kLeftOut.end(), is_it)) return true;
    const bool note = element.is("footnote") || element.is("endnote");
    return note && !element.attribute("type").empty() && element.attribute("type") != "normal";
}

// A property that is there without a value is on.
bool is_on(const XmlElement& element) {
    const std::string_view value = element.attribute("val");
    return value != "0" && value != "false" && value != "off";
}

// A background that white text can be read on.
bool is_shade(const XmlElement& element) {
    const std::string_view fill =
        element.is("highlight") ? element.attribute("val") : element.attribute("fill");
    return !fill.empty() && fill != "auto" && fill != "none" && fill != "white" &&
           fill != "FFFFFF" && fill != "ffffff";
}

bool is_white(std::string_view color) {
    return color == "FFFFFF" || color == "ffffff";
}

}  // namespace

void BodyHandler::begin(const XmlElement& element) {
    if (skipped_ > 0 || is_left_out(element)) {
        ++skipped_;
        return;
    }
    in_text_ = element.is("t") && !runs_.empty();
    if (element.is("p")) {
        paragraphs_.emplace_back();
    } else if (element.is("r")) {
        runs_.emplace_back();
    } else if (element.is("rPr")) {
        in_run_properties_ = true;
    } else if (element.is("tbl")) {
        ++tables_;
    } else if (element.is("tr") && tables_ == 1) {
        cells_.clear();
    } else if (element.is("tc") && tables_ == 1) {
        cells_.emplace_back();
        cell_shaded_ = false;
    } else if (in_run_properties_ && !runs_.empty()) {
        begin_property(element);
    } else if (!runs_.empty()) {
        if (element.is("tab") || element.is("br") || element.is("cr")) runs_.back().text += ' ';
        if (element.is("noBreakHyphen")) runs_.back().text += '-';
    } else {
        begin_paragraph_property(element);
    }
}

void BodyHandler::begin_property(const XmlElement& element) {
    Run& run = runs_.back();
    if (element.is("vanish") || element.is("webHidden")) run.vanished |= is_on(element);
    if (element.is("color")) run.white = is_white(element.attribute("val"));
    if (element.is("shd") || element.is("highlight")) run.shaded |= is_shade(element);
}

void BodyHandler::begin_paragraph_property(const XmlElement& element) {
    // In a cell's properties no paragraph is open, but for the one a text box stands in.
    if (element.is("shd") && tables_ > 0 && is_shade(element)) cell_shaded_ = true;
    if (paragraphs_.empty()) return;
    Paragraph& paragraph = paragraphs_.back();
    if (element.is("pStyle")) {
        paragraph.style = element.attribute("val");
    } else if (element.is("outlineLvl")) {
        paragraph.level = level_of_outline(element.attribute("val"));
    } else if (element.is("numId")) {
        const bool none = element.attribute("val") == "0";
        paragraph.unnumbered = none;
        paragraph.numbered = !none;
    } else if (element.is("shd")) {
        paragraph.shaded |= is_shade(element);
    }
}

void BodyHandler::text(std::string_view utf8) {
    if (skipped_ == 0 && in_text_) runs_.back().text += utf8;
}

void BodyHandler::end(XmlName name) {
    if (skipped_ > 0) {
        --skipped_;
        return;
    }
    in_text_ = false;
    if (name.local == "r" && !runs_.empty()) {
        end_run();
    } else if (name.local == "p" && !paragraphs_.empty()) {
        end_paragraph();
    } else if (name.local == "rPr") {
        in_run_properties_ = false;
    } else if (name.local == "tr" && tables_ == 1) {
        end_row();
    } else if (name.local == "tbl" && tables_ > 0) {
        --tables_;
    }
}

void BodyHandler::end_run() {
    const Run run = std::move(runs_.back());
    runs_.pop_back();
    if (paragraphs_.empty()) return;
    Paragraph& paragraph = paragraphs_.back();
    const bool shaded = run.shaded || paragraph.shaded || (tables_ > 0 && cell_shaded_);
    if (run.vanished || (run.white && !shaded))
        hidden_ += text::count_code_points(run.text);
    else
        paragraph.text += run.text;
}

void BodyHandler::end_paragraph() {
    const Paragraph paragraph = std::move(paragraphs_.back());
    paragraphs_.pop_back();
    if (tables_ == 0 || cells_.empty()) {
        add(paragraph);
        return;
    }
    std::string& cell = cells_.back();
    if (!cell.empty() && !paragraph.text.empty()) cell += ' ';
    cell += paragraph.text;
}

void BodyHandler::add(const Paragraph& paragraph) {
    std::uint8_t level = paragraph.level;
    if (level == 0) level = styles_.heading_level(paragraph.style);
    const bool item =
        !paragraph.unnumbered && (paragraph.numbered || styles_.is_list(paragraph.style));
    if (level > 0)
        out_.add(BlockKind::kHeading, paragraph.text, level);
    else if (item && !paragraph.text.empty())
        out_.add(BlockKind::kListItem, "- " + paragraph.text);
    else
        out_.add(BlockKind::kParagraph, paragraph.text);
}

void BodyHandler::end_row() {
    std::string line;
    for (const std::string& cell : cells_) {
        if (cell.find_first_not_of(" \n\t") == std::string::npos) continue;
        if (!line.empty()) line += " | ";
        line += cell;
    }
    cells_.clear();
    out_.add(BlockKind::kTableRow, line);
}

}  // namespace heddle::ingest::docx
