#include "engine/call_scanner.h"

#include <utility>

#include <simdjson.h>

namespace heddle::engine {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The value of a JSON string given between its quotes; as it stands when it is not one.
std::string unescape(const std::string& text) {
    simdjson::dom::parser parser;
    std::string_view value;
    if (parser.parse('"' + text + '"').get(value) != simdjson::SUCCESS) return text;
    return std::string(value);
}

}  // namespace

std::string CallScanner::take_arguments(bool name_known) {
    return is_call() || name_known ? std::exchange(arguments_, {}) : std::string();
}

CallScanner::State CallScanner::push(char c) {
    raw_ += c;
    switch (place_) {
        case Place::kStart:
            if (c != '{') return State::kBroken;
            place_ = Place::kMember;
            return State::kMore;
        case Place::kMember:
            if (c == '}') return State::kDone;
            if (c == '"') {
                text_.clear();
                place_ = Place::kKey;
                return State::kMore;
            }
            return is_space(c) ? State::kMore : State::kBroken;
        case Place::kKey:
        case Place::kText:
            if (c == '"' && !escaped_) {
                end_text();
                return State::kMore;
            }
            escaped_ = c == '\\' && !escaped_;
            text_ += c;
            return State::kMore;
        case Place::kColon:
            if (c == ':') place_ = Place::kValue;
            return c == ':' || is_space(c) ? State::kMore : State::kBroken;
        case Place::kValue:
            return push_value(c);
        case Place::kNested:
            return push_nested(c);
        case Place::kScalar:
            if (c != ',' && c != '}' && !is_space(c)) {
                if (in_arguments()) arguments_ += c;
                return State::kMore;
            }
            place_ = Place::kBehind;
            [[fallthrough]];
        case Place::kBehind:
            if (c == '}') return State::kDone;
            if (c == ',') place_ = Place::kMember;
            return c == ',' || is_space(c) ? State::kMore : State::kBroken;
    }
    return State::kBroken;
}

void CallScanner::end_text() {
    if (place_ == Place::kKey) {
        key_ = unescape(text_);
        place_ = Place::kColon;
        return;
    }
    place_ = Place::kBehind;
    if (key_ == "name" && !has_name_) {
        name_ = unescape(text_);
        has_name_ = true;
    } else if (in_arguments()) {
        // Some models write the arguments as a string that holds their JSON.
        arguments_ = unescape(text_);
        has_arguments_ = true;
    }
}

CallScanner::State CallScanner::push_value(char c) {
    if (is_space(c)) return State::kMore;
    if (in_arguments() && has_arguments_) return State::kBroken;
    if (c == '"') {
        text_.clear();
        place_ = Place::kText;
        return State::kMore;
    }
    if (c == ',' || c == '}' || c == ']' || c == ':') return State::kBroken;
    if (in_arguments()) {
        arguments_ += c;
        has_arguments_ = true;
    }
    place_ = Place::kScalar;
    if (c == '{' || c == '[') {
        place_ = Place::kNested;
        depth_ = 1;
        quoted_ = false;
    }
    return State::kMore;
}

CallScanner::State CallScanner::push_nested(char c) {
    if (in_arguments()) arguments_ += c;
    if (quoted_) {
        if (c == '"' && !escaped_) quoted_ = false;
        escaped_ = c == '\\' && !escaped_;
        return State::kMore;
    }
    if (c == '"') quoted_ = true;
    if (c == '{' || c == '[') ++depth_;
    if ((c == '}' || c == ']') && --depth_ == 0) place_ = Place::kBehind;
    return State::kMore;
}

}  // namespace heddle::engine
