#include "http/sse.h"

#include <algorithm>
#include <utility>

namespace heddle::http {
namespace {

void append_field(std::string& out, std::string_view field, std::string_view text) {
    out += field;
    for (const char c : text) {
        if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    out += '\n';
}

}  // namespace

void append_event(std::string& out, std::string_view name, std::string_view data,
                  std::string_view id) {
    if (!name.empty()) append_field(out, "event: ", name);
    if (!id.empty()) append_field(out, "id: ", id);
    for (;;) {
        const std::size_t end = data.find_first_of("\r\n");
        append_field(out, "data: ", data.substr(0, end));
        if (end == std::string_view::npos) break;
        const bool pair = data.substr(end).starts_with("\r\n");
        data.remove_prefix(end + (pair ? 2 : 1));
    }
    out += '\n';
}

Result<std::optional<SseEvent>> SseParser::next() {
    while (const auto line = next_line()) {
        if (!line->empty()) {
            take_line(*line);
            if (event_.data.size() > event_bytes_max_) {
                return fail(ErrorCode::kTooLarge, "a server-sent event is too large");
            }
            continue;
        }
        SseEvent event = std::exchange(event_, {});
        if (!std::exchange(has_data_, false)) continue;
        event.data.pop_back();  // every data line ends in a break, the last one's is not data
        return event;
    }
    if (buffer_.size() - read_ > event_bytes_max_) {
        return fail(ErrorCode::kTooLarge, "a line of a server-sent event is too large");
    }
    return std::nullopt;
}

std::optional<std::string_view> SseParser::next_line() {
    if (at_start_ && buffer_.size() >= 3) {
        at_start_ = false;
        if (buffer_.starts_with("\xEF\xBB\xBF")) read_ = scanned_ = 3;
    }
    if (after_cr_ && read_ < buffer_.size()) {
        after_cr_ = false;
        if (buffer_[read_] == '\n') scanned_ = ++read_;
    }
    const std::size_t end = buffer_.find_first_of("\r\n", std::max(read_, scanned_));
    if (end == std::string::npos) {
        buffer_.erase(0, read_);
        read_ = 0;
        scanned_ = buffer_.size();
        return std::nullopt;
    }
    const std::string_view line(buffer_.data() + read_, end - read_);
    after_cr_ = buffer_[end] == '\r';
    at_start_ = false;
    read_ = scanned_ = end + 1;
    return line;
}

void SseParser::take_line(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == 0) return;  // a comment
    const std::string_view field = line.substr(0, colon);
    std::string_view value;
    if (colon != std::string_view::npos) value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        event_.data += value;
        event_.data += '\n';
        has_data_ = true;
    } else if (field == "event") {
        event_.name = value;
    } else if (field == "id" && value.find('\0') == std::string_view::npos) {
        event_.id = value;
    }
}

}  // namespace heddle::http
