// Server-sent events (WHATWG HTML, 9.2): writing them for our clients, reading an upstream's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::http {

struct SseEvent {
    std::string name;  // empty: "message"
    std::string data;
    std::string id;
};

// Appends the event as it goes over the wire. Line breaks in data become several data lines; in
// name and id they are dropped.
void append_event(std::string& out, std::string_view name, std::string_view data,
                  std::string_view id = {});

// Bytes in any pieces → events. A comment, an event without data and fields that are not known
// yield nothing; a line or an event above the cap is an error after which the parser is spent.
class SseParser {
public:
    explicit SseParser(std::size_t event_bytes_max = std::size_t{4} << 20)
        : event_bytes_max_(event_bytes_max) {}

    void feed(std::string_view bytes) { buffer_ += bytes; }
    // The next complete event of what was fed; nothing when more bytes are needed.
    [[nodiscard]] Result<std::optional<SseEvent>> next();

private:
    // The next complete line without its end; nothing when it is not complete yet.
    [[nodiscard]] std::optional<std::string_view> next_line();
    void take_line(std::string_view line);

    const std::size_t event_bytes_max_;
    std::string buffer_;
    std::size_t read_ = 0;     // bytes of buffer_ already turned into lines
    std::size_t scanned_ = 0;  // bytes of buffer_ already searched for a line's end
    bool after_cr_ = false;    // a line feed that comes next belongs to the line before
    bool at_start_ = true;     // a byte order mark may come
    bool has_data_ = false;
    SseEvent event_;
};

}  // namespace heddle::http
