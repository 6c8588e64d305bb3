// multipart/form-data (RFC 7578 over RFC 2046) as it arrives: bytes in any pieces → headers of
// parts and their content, handed to a sink; nothing but a part's header is held in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace heddle::http {

struct PartHeader {
    std::string name;       // of the form field
    std::string file_name;  // as the client wrote it: data, never a path
    bool is_file = false;   // a file name was given, even an empty one
    std::string content_type;
};

// Called in order: begin, data any number of times, end; for each part.
class MultipartSink {
public:
    virtual ~MultipartSink() = default;
    virtual Result<> begin_part(const PartHeader& header) = 0;
    virtual Result<> part_data(std::string_view bytes) = 0;
    virtual Result<> end_part() = 0;
};

struct MultipartLimits {
    std::size_t parts = 100;
    std::size_t part_header_bytes = std::size_t{8} << 10;
    std::size_t preamble_bytes = std::size_t{8} << 10;
};

// The boundary of a multipart/form-data Content-Type; kInvalidArgument when it is another type or
// the boundary is none (RFC 2046, 5.1.1: 1 to 70 of its characters).
[[nodiscard]] Result<std::string> multipart_boundary(std::string_view content_type);

class MultipartParser {
public:
    MultipartParser(std::string_view boundary, MultipartSink& sink, MultipartLimits limits = {});

    // Errors of the sink come out as they are; malformed input is kInvalidArgument. After an error
    // the parser is spent.
    [[nodiscard]] Result<> feed(std::string_view bytes);
    // The body has ended: an error unless the closing boundary was seen.
    [[nodiscard]] Result<> finish() const;

private:
    enum class State {
        kPreamble,       // before the first boundary
        kAfterBoundary,  // "--" closes, CRLF begins a part, padding may come between
        kPartHeader,
        kPartData,
        kEpilogue,  // after the closing boundary: ignored
    };

    // Each works on buffer_ and says whether it got anywhere.
    Result<bool> step();
    Result<bool> skip_preamble();
    Result<bool> take_boundary_end();
    Result<bool> take_part_header();
    Result<bool> take_part_data();

    const std::string delimiter_;  // CRLF "--" boundary
    MultipartSink& sink_;
    const MultipartLimits limits_;
    State state_ = State::kPreamble;
    std::string buffer_;
    std::size_t begin_ = 0;  // bytes of buffer_ that are done with
    std::size_t parts_ = 0;
    std::size_t preamble_bytes_ = 0;
};

}  // namespace heddle::http
