// Names of files inside an archive as its files write them: relative, percent-encoded.
#pragma once

#include <string>
#include <string_view>

namespace heddle::ingest::package {

// `reference` (a relative URL, its fragment ignored) as seen from the file `base`:
// "OEBPS/text/a.xhtml" + "../style%201.css" is "OEBPS/style 1.css". Never leaves the archive.
[[nodiscard]] std::string resolve_part(std::string_view base, std::string_view reference);

}  // namespace heddle::ingest::package
