// The parser process, behind the walls of walls.h: `heddle --worker=parse --format=pdf …` reads one
// document from descriptor 0 and writes records to descriptor 1; `heddle --worker=paint --page=3 …`
// paints one page of a PDF file (picture_wire.h); `heddle --worker=recognise …` becomes Tesseract.
#pragma once

#include <span>

#include "ingest/formats.h"

namespace heddle::ingest {

// True when the command line asks for a parser process; main() then hands over to parser_main
// before it does anything else.
[[nodiscard]] bool is_parser_command(int argc, char** argv);

// Returns the exit status of the process. `readers` is formats(), or a test's own list.
int parser_main(int argc, char** argv, std::span<const Format> readers);

}  // namespace heddle::ingest
