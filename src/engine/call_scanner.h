// Reads one tool call, {"name": ..., "arguments": {...}}, character by character: the name once it
// is whole, the text of the arguments as it comes. `parameters` is read like `arguments`; other
// members are passed over, in any order. Internal to ToolCallParser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::engine {

class CallScanner {
public:
    enum class State : std::uint8_t { kMore, kDone, kBroken };

    // Once not kMore, no further characters are taken.
    State push(char c);

    // Everything that was pushed, for those who find that it was no call.
    [[nodiscard]] const std::string& raw() const { return raw_; }
    // Whether the text is known to be a call: it has its name and its arguments have begun.
    [[nodiscard]] bool is_call() const { return has_name_ && has_arguments_; }
    [[nodiscard]] bool has_name() const { return has_name_; }
    [[nodiscard]] bool has_arguments() const { return has_arguments_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    // The text of the arguments since the last call; empty while is_call() does not hold, unless
    // the name is known from elsewhere.
    [[nodiscard]] std::string take_arguments(bool name_known = false);
    // A value has just ended.
    [[nodiscard]] bool behind_value() const { return place_ == Place::kBehind; }

private:
    enum class Place : std::uint8_t {
        kStart,
        kMember,  // before a key or the end
        kKey,
        kColon,
        kValue,   // before a value
        kText,    // within a string that is a value
        kNested,  // within an object or an array that is a value
        kScalar,
        kBehind,  // behind a value
    };

    State push_value(char c);
    State push_nested(char c);
    void end_text();
    [[nodiscard]] bool in_arguments() const { return key_ == "arguments" || key_ == "parameters"; }

    std::string raw_;
    Place place_ = Place::kStart;
    std::string key_;
    std::string text_;  // the string being read, still escaped
    bool escaped_ = false;
    bool quoted_ = false;  // within a string of a nested value
    std::uint32_t depth_ = 0;
    std::string name_;
    std::string arguments_;
    bool has_name_ = false;
    bool has_arguments_ = false;
};

}  // namespace heddle::engine
