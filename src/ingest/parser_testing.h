// The parser process of the tests (testing/main.cpp) and the PDFium that the build has staged.
#pragma once

#include "ingest/parser.h"

namespace heddle::ingest {

[[nodiscard]] inline ParserConfig testing_parser_config() {
    return {.executable = HEDDLE_PARSE_TESTING, .pdfium_library = HEDDLE_PDFIUM_LIBRARY};
}

}  // namespace heddle::ingest
