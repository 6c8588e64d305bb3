// The document formats, one file each. A new one: a reader in its own file, and one line in
// formats.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "ingest/limits.h"
#include "ingest/sandbox/records.h"

namespace heddle::ingest {

// What the server tells the parser process on its command line.
struct ReaderOptions {
    std::string pdfium_library;  // path of libpdfium.so
    ParseLimits limits;
};

using ReadOutcome = tl::expected<void, sandbox::Failure>;

// Lives in the parser process only. Made before the walls are up, so that it can open what it
// needs; the foreign bytes are read behind them.
class FormatReader {
public:
    virtual ~FormatReader() = default;
    // Writes pages, blocks and the rest, without the end. May throw std::bad_alloc.
    virtual ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) = 0;
};

struct Format {
    std::string_view name;
    std::string_view content_type;
    std::span<const std::string_view> other_types;  // that clients also send for it
    std::span<const std::string_view> extensions;   // lower case, without the dot
    // Whether the first bytes of a file (at most 1,024) can be of this format.
    bool (*recognises)(std::string_view head);
    // Null when what it needs is not installed.
    std::unique_ptr<FormatReader> (*open)(const ReaderOptions& options);
};

inline constexpr std::size_t kHeadBytes = 1024;

[[nodiscard]] std::span<const Format> formats();
// Null for a name or content type (parameters after ";" ignored) that is not in the list.
[[nodiscard]] const Format* find_format(std::string_view name);
[[nodiscard]] const Format* find_format_of_type(std::string_view content_type);
// By what follows the last dot of a file's name, in any case.
[[nodiscard]] const Format* find_format_of_file(std::string_view file_name);

}  // namespace heddle::ingest
