// Characters of extracted text brought to one form: ligatures spelled out, every kind of space one
// space, nothing invisible. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace heddle::ingest {

// Appends what a reader sees of the code point as UTF-8: "fi" for U+FB01, a space for U+00A0,
// nothing for zero-width, control, private-use and undecodable characters.
void append_clean(std::string& out, char32_t code_point);

// Well-formed or not, any bytes become clean text of one line: spaces are collapsed and trimmed,
// dot leaders of tables of contents ("Index . . . . 12") become " … ".
[[nodiscard]] std::string clean_line(std::string_view text);

// The second task of the origin's pipeline: white space to one space, ". ," removed, ".." and
// ". ." to ".". Used with the chunker of fixed characters.
[[nodiscard]] std::string clean_as_chapter(std::string_view text);

}  // namespace heddle::ingest
