// Small PDF files for tests, written by hand: pages of one content stream each, with Helvetica as
// /F1 and Helvetica-Bold as /F2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle::ingest::pdf {

struct TestPage {
    std::string content;  // operators of the content stream
    std::string extra;    // more entries of the page's dictionary
    float width = 612;
    float height = 792;
};

struct TestPdf {
    std::vector<TestPage> pages;
    std::string title;
    struct Mark {
        std::string title;
        std::size_t page = 0;  // index
    };
    std::vector<Mark> outline;
};

[[nodiscard]] std::string write_pdf(const TestPdf& pdf);

// Operators that show one line of text with its baseline starting at (x, y), from the lower left.
[[nodiscard]] std::string show(float x, float y, float size, std::string_view text,
                               std::string_view font = "F1");

}  // namespace heddle::ingest::pdf
