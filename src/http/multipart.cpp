#include "http/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/field_parameters.h"

namespace heddle::http {
namespace {

tl::unexpected<Error> malformed(std::string why) {
    return fail(Error(ErrorCode::kInvalidArgument, "malformed multipart body: " + std::move(why))
                    .with_param("body"));
}

bool is_boundary(std::string_view text) {
    constexpr std::string_view kMarks = "'()+_,-./:=? ";
    return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kMarks.find(c) != std::string_view::npos;
           });
}

// Header lines of a part, each ended by CRLF.
Result<PartHeader> parse_part_header(std::string_view lines) {
    PartHeader header;
    std::size_t dispositions = 0;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find("\r\n"), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 2, lines.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
            !is_field_value(line)) {
            return malformed("a part has a malformed header line");
        }
        const FieldValue value = parse_field_value(line.substr(colon + 1));
        const std::string_view name = line.substr(0, colon);
        if (equals_ignoring_case(name, "content-type")) header.content_type = value.value;
        if (!equals_ignoring_case(name, "content-disposition")) continue;
        ++dispositions;
        const auto field = value.parameter("name");
        if (!equals_ignoring_case(value.value, "form-data") || !field) {
            return malformed("a part is not a form field");
        }
        header.name = *field;
        const auto file_name = value.parameter("filename");
        header.is_file = file_name.has_value();
        header.file_name = file_name.value_or("");
    }
    if (dispositions != 1) return malformed("a part needs one Content-Disposition");
    return header;
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
    const FieldValue value = parse_field_value(content_type);
    if (!equals_ignoring_case(value.value, "multipart/form-data")) {
        return fail(ErrorCode::kInvalidArgument, "the body must be multipart/form-data");
    }
    auto boundary = value.parameter("boundary");
    if (!boundary || !is_boundary(*boundary)) {
        return fail(ErrorCode::kInvalidArgument, "the multipart boundary is missing or malformed");
    }
    return std::move(*boundary);
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartSink& sink,
                                 MultipartLimits limits)
    : delimiter_("\r\n--" + std::string(boundary)),
      sink_(sink),
      limits_(limits),
      // The first boundary may stand at the very beginning, without the line break.
      buffer_("\r\n") {}

Result<> MultipartParser::feed(std::string_view bytes) {
    buffer_ += bytes;
    for (;;) {
        HEDDLE_TRY(const bool advanced, step());
        if (!advanced) break;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    return {};
}

Result<> MultipartParser::finish() const {
    if (state_ != State::kEpilogue) return malformed("it ends before its closing boundary");
    return {};
}

Result<bool> MultipartParser::step() {
    switch (state_) {
        case State::kPreamble:
            return skip_preamble();
        case State::kAfterBoundary:
            return take_boundary_end();
        case State::kPartHeader:
            return take_part_header();
        case State::kPartData:
            return take_part_data();
        case State::kEpilogue:
            begin_ = buffer_.size();
            return false;
    }
    return false;
}

Result<bool> MultipartParser::skip_preamble() {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const std::size_t found = rest.find(delimiter_);
    const bool seen = found != std::string_view::npos;
    const std::size_t kept = std::min(rest.size(), delimiter_.size() - 1);
    const std::size_t skipped = seen ? found : rest.size() - kept;
    preamble_bytes_ += skipped;
    if (preamble_bytes_ > limits_.preamble_bytes) return malformed("it has no boundary");
    begin_ += skipped;
    if (!seen) return false;
    begin_ += delimiter_.size();
    state_ = State::kAfterBoundary;
    return true;
}

Result<bool> MultipartParser::take_boundary_end() {
    std::string_view rest = std::string_view(buffer_).substr(begin_);
    if (rest.starts_with("--")) {
        state_ = State::kEpilogue;
        return true;
    }
    const std::size_t padding = std::min(rest.find_first_not_of(" \t"), rest.size());
    rest.remove_prefix(padding);
    if (rest.size() < 2) {
        const bool may_go_on = rest.empty() || rest == "\r" || (rest == "-" && padding == 0);
        if (may_go_on && padding <= limits_.part_header_bytes) return false;
        return malformed("a boundary is followed by other text");
    }
    if (!rest.starts_with("\r\n")) return malformed("a boundary is followed by other text");
    if (++parts_ > limits_.parts) return malformed("it has too many parts");
    begin_ += padding;  // the CRLF stays: it may also be the end of an empty header
    state_ = State::kPartHeader;
    return true;
}

Result<bool> MultipartParser::take_part_header() {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const std::size_t end = rest.find("\r\n\r\n");
    if (std::min(end, rest.size()) > limits_.part_header_bytes) {
        return malformed("the header of a part is too large");
    }
    if (end == std::string_view::npos) return false;
    const std::string_view lines = end == 0 ? std::string_view() : rest.substr(2, end - 2);
    HEDDLE_TRY(const PartHeader header, parse_part_header(lines));
    HEDDLE_TRY_VOID(sink_.begin_part(header));
    begin_ += end + 2;  // the last CRLF stays: an empty part ends with the boundary's own
    // Content begins behind it, and a delimiter may begin with it.
    if (rest.substr(end + 2).starts_with(delimiter_)) {
        HEDDLE_TRY_VOID(sink_.end_part());
        begin_ += delimiter_.size();
        state_ = State::kAfterBoundary;
        return true;
    }
    begin_ += 2;
    state_ = State::kPartData;
    return true;
}

Result<bool> MultipartParser::take_part_data() {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const std::size_t found = rest.find(delimiter_);
    if (found != std::string_view::npos) {
        if (found > 0) HEDDLE_TRY_VOID(sink_.part_data(rest.substr(0, found)));
        HEDDLE_TRY_VOID(sink_.end_part());
        begin_ += found + delimiter_.size();
        state_ = State::kAfterBoundary;
        return true;
    }
    // What may be the beginning of a delimiter stays until more is here.
    std::size_t safe = rest.size();
    const std::size_t candidates = std::min(rest.size(), delimiter_.size() - 1);
    for (std::size_t tail = candidates; tail > 0; --tail) {
        if (rest.ends_with(std::string_view(delimiter_).substr(0, tail))) {
            safe = rest.size() - tail;
            break;
        }
    }
    if (safe > 0) HEDDLE_TRY_VOID(sink_.part_data(rest.substr(0, safe)));
    begin_ += safe;
    return false;
}

}  // namespace heddle::http
