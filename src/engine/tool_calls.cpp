#include "engine/tool_calls.h"

#include <algorithm>
#include <utility>

namespace heddle::engine {
namespace {

constexpr std::string_view kHermesOpen = "<tool_call>";
constexpr std::string_view kHermesClose = "</tool_call>";
constexpr std::string_view kPythonTag = "<|python_tag|>";
constexpr std::string_view kMistralOpen = "[TOOL_CALLS]";
constexpr std::string_view kMistralArguments = "[ARGS]";
constexpr std::size_t kNameBytesMax = 256;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

ToolCallStyle tool_call_style(std::string_view chat_template) {
    const auto has = [&](std::string_view mark) {
        return chat_template.find(mark) != std::string_view::npos;
    };
    if (has(kMistralOpen)) return ToolCallStyle::kMistral;
    if (has(kHermesOpen)) return ToolCallStyle::kHermes;
    if (has(kPythonTag)) return ToolCallStyle::kLlama3;
    return ToolCallStyle::kJson;
}

std::string_view ToolCallParser::mark() const {
    switch (style_) {
        case ToolCallStyle::kHermes:
            return kHermesOpen;
        case ToolCallStyle::kLlama3:
            return kPythonTag;
        case ToolCallStyle::kMistral:
            return kMistralOpen;
        case ToolCallStyle::kJson:
            return {};
    }
    return {};
}

ToolCallPiece ToolCallParser::push(std::string_view text) {
    ToolCallPiece out;
    for (const char c : text) push(c, out);
    return out;
}

void ToolCallParser::push(char c, ToolCallPiece& out) {
    switch (place_) {
        case Place::kBegin:
            if (opens_at_begin() && is_space(c)) {
                held_ += c;
            } else if (c == '{' && opens_at_begin()) {
                begin_call(c, out);
            } else if (c == '[' && style_ == ToolCallStyle::kJson) {
                held_ += c;
                in_list_ = true;
                place_ = Place::kOpened;
            } else {
                place_ = Place::kText;
                push_text(c, out);
            }
            break;
        case Place::kText:
            push_text(c, out);
            break;
        case Place::kOpened:
            push_opened(c, out);
            break;
        case Place::kName:
            push_name(c, out);
            break;
        case Place::kCall:
            push_call(c, out);
            break;
        case Place::kBetween:
            push_between(c, out);
            break;
    }
}

// Text goes on at once but for an end that may be the beginning of the mark.
void ToolCallParser::push_text(char c, ToolCallPiece& out) {
    held_ += c;
    const std::string_view wanted = mark();
    if (!wanted.empty() && held_.ends_with(wanted)) {
        out.text += held_.substr(0, held_.size() - wanted.size());
        held_ = wanted;
        place_ = Place::kOpened;
        return;
    }
    std::size_t keep = wanted.empty() ? 0 : std::min(held_.size(), wanted.size() - 1);
    while (keep > 0 && !held_.ends_with(wanted.substr(0, keep))) --keep;
    out.text += held_.substr(0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
}

void ToolCallParser::push_opened(char c, ToolCallPiece& out) {
    if (is_space(c)) {
        held_ += c;
    } else if (c == '{') {
        begin_call(c, out);
    } else if (c == '[' && style_ == ToolCallStyle::kMistral && !in_list_) {
        held_ += c;
        in_list_ = true;
    } else if (style_ == ToolCallStyle::kMistral && !in_list_) {
        bare_name_.clear();
        place_ = Place::kName;
        push_name(c, out);
    } else {
        held_ += c;
        give_up(out);
    }
}

void ToolCallParser::push_name(char c, ToolCallPiece& out) {
    if (c == '{') {
        const std::size_t arguments = bare_name_.find(kMistralArguments);
        bare_name_.resize(std::min(arguments, bare_name_.size()));
        while (!bare_name_.empty() && is_space(bare_name_.back())) bare_name_.pop_back();
        // The object is the arguments themselves: it is read as their member would be.
        begin_call('{', out);
        for (const char wrapped : std::string_view("\"arguments\":{")) scanner_.push(wrapped);
        report(out);
        return;
    }
    held_ += c;
    bare_name_ += c;
    if (bare_name_.size() > kNameBytesMax || c == '\n') give_up(out);
}

void ToolCallParser::begin_call(char c, ToolCallPiece&) {
    scanner_ = CallScanner();
    reported_ = false;
    place_ = Place::kCall;
    (void)scanner_.push(c);
}

// Hands on what is known of the current call.
void ToolCallParser::report(ToolCallPiece& out) {
    const bool bare = !bare_name_.empty();
    if (bare && !reported_) {
        reported_ = true;
        held_.clear();
        out.calls.push_back({calls_++, bare_name_, {}});
    }
    if (!bare && !reported_ && scanner_.is_call()) {
        reported_ = true;
        held_.clear();
        out.calls.push_back({calls_++, scanner_.name(), {}});
    }
    if (!reported_) return;
    std::string arguments = bare ? scanner_.take_arguments(true) : scanner_.take_arguments();
    if (arguments.empty()) return;
    const bool goes_on = !out.calls.empty() && out.calls.back().index == calls_ - 1;
    if (goes_on) {
        out.calls.back().arguments += arguments;
    } else {
        out.calls.push_back({calls_ - 1, std::nullopt, std::move(arguments)});
    }
}

void ToolCallParser::push_call(char c, ToolCallPiece& out) {
    CallScanner::State state = scanner_.push(c);
    report(out);
    // A bare call ends with its arguments; the object around them was ours.
    const bool bare = !bare_name_.empty();
    if (bare && scanner_.behind_value()) state = CallScanner::State::kDone;
    if (state == CallScanner::State::kMore) return;
    if (reported_) {
        bare_name_.clear();
        held_.clear();
        place_ = Place::kBetween;
        return;
    }
    const bool named = state == CallScanner::State::kDone && scanner_.has_name();
    if (named && !opens_at_begin()) {
        // Between its marks an object with a name alone is a call without arguments.
        out.calls.push_back({calls_++, scanner_.name(), "{}"});
        held_.clear();
        place_ = Place::kBetween;
        return;
    }
    held_ += scanner_.raw();
    give_up(out);
}

// It was no call: the text that was held is text.
void ToolCallParser::give_up(ToolCallPiece& out) {
    out.text += std::exchange(held_, {});
    bare_name_.clear();
    in_list_ = false;
    place_ = Place::kText;
}

void ToolCallParser::push_between(char c, ToolCallPiece& out) {
    if (style_ == ToolCallStyle::kHermes) {
        held_ += c;
        if (held_.ends_with(kHermesClose)) {
            held_.clear();
            place_ = Place::kText;
        }
        return;
    }
    if (is_space(c)) return;
    const bool separates = c == ',' || (c == ';' && style_ == ToolCallStyle::kLlama3);
    if (c == '{' && (in_list_ || opens_at_begin())) {
        begin_call(c, out);
    } else if (c == ']' && in_list_) {
        in_list_ = false;
        place_ = Place::kText;
    } else if (!separates) {
        in_list_ = false;
        place_ = Place::kText;
        push_text(c, out);
    }
}

ToolCallPiece ToolCallParser::finish() {
    ToolCallPiece out;
    const bool open = place_ == Place::kCall && !reported_;
    if (open) held_ += scanner_.raw();
    if (place_ != Place::kBetween) out.text = std::exchange(held_, {});
    held_.clear();
    place_ = Place::kText;
    return out;
}

}  // namespace heddle::engine
