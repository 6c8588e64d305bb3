// The values of chat templates: JSON's, and what Jinja adds to them. A value is cheap to copy; its
// contents are shared and never change once a template sees them, namespaces apart, whose fields a
// template may set. One rendering belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace heddle::text {

class TemplateValue;

inline constexpr int kTemplateValueDepthMax = 200;

// Ends the reading or the rendering of a template; caught in chat_template.cpp and nowhere else.
class TemplateFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};
class TemplateLimitFailure final : public TemplateFailure {
public:
    using TemplateFailure::TemplateFailure;
};

// Arguments of a call, filter or test.
struct TemplateArguments {
    std::vector<TemplateValue> positional;
    std::vector<std::pair<std::string, TemplateValue>> named;

    // The argument by place or by name; null where it was not given.
    [[nodiscard]] const TemplateValue* find(std::size_t place, std::string_view name) const;
};

class TemplateValue {
public:
    struct Undefined {
        std::string name;  // of what was not found, for errors
    };
    struct None {};
    struct List {
        std::vector<TemplateValue> items;
        bool is_tuple = false;  // which only shows when it is written out
        bool is_lazy = false;   // what map and select make: JSON cannot hold it
        int depth = 0;          // of the nesting below; set when the list becomes a value
    };
    // In the order of insertion; keys are unique.
    struct Map {
        std::vector<std::pair<std::string, TemplateValue>> entries;
        bool is_namespace = false;
        bool has_integer_keys = false;  // written in decimal in `entries`
        int depth = 0;

        [[nodiscard]] const TemplateValue* find(std::string_view key) const;
        void set(std::string_view key, TemplateValue value);
        // The key of an entry as a template sees it.
        [[nodiscard]] TemplateValue key_value(const std::string& key) const;
    };
    using Function = std::function<TemplateValue(const TemplateArguments&)>;

    TemplateValue() : data_(Undefined{}) {}
    TemplateValue(None none) : data_(none) {}
    TemplateValue(Undefined undefined) : data_(std::move(undefined)) {}
    TemplateValue(bool value) : data_(value) {}
    TemplateValue(int value) : data_(std::int64_t{value}) {}
    TemplateValue(std::int64_t value) : data_(value) {}
    TemplateValue(double value) : data_(value) {}
    TemplateValue(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
    TemplateValue(std::string_view text) : TemplateValue(std::string(text)) {}
    TemplateValue(const char* text) : TemplateValue(std::string(text)) {}
    // Lists and maps nest at most kTemplateValueDepthMax deep and hold no functions, so that
    // walking over a value, and destroying it, needs little stack. Throws TemplateFailure.
    TemplateValue(List list);
    TemplateValue(Map map);
    TemplateValue(Function function)
        : data_(std::make_shared<const Function>(std::move(function))) {}

    // A JSON document, nested at most 64 deep. kInvalidArgument otherwise.
    [[nodiscard]] static Result<TemplateValue> from_json(std::string_view json);

    [[nodiscard]] bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
    [[nodiscard]] bool is_none() const { return std::holds_alternative<None>(data_); }
    [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
    [[nodiscard]] bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
    [[nodiscard]] bool is_float() const { return std::holds_alternative<double>(data_); }
    // As in Python a boolean is a number.
    [[nodiscard]] bool is_number() const { return is_bool() || is_integer() || is_float(); }
    [[nodiscard]] bool is_string() const { return string_if() != nullptr; }
    [[nodiscard]] bool is_list() const { return list_if() != nullptr; }
    [[nodiscard]] bool is_map() const { return map_if() != nullptr; }

    [[nodiscard]] const std::string* string_if() const;
    [[nodiscard]] const List* list_if() const;
    [[nodiscard]] const Map* map_if() const;
    [[nodiscard]] Map* namespace_if() const;  // whose fields may be set
    [[nodiscard]] const Function* function_if() const;
    [[nodiscard]] const Undefined* undefined_if() const { return std::get_if<Undefined>(&data_); }

    // Of numbers; 0 of others.
    [[nodiscard]] std::int64_t as_integer() const;
    [[nodiscard]] double as_float() const;

    [[nodiscard]] bool is_true() const;  // by Python's rules
    [[nodiscard]] bool equals(const TemplateValue& other) const;

    // Python's str() and repr(). Appended to `out`; stops once `out` has `bytes_max`.
    void write_text(std::string& out, std::size_t bytes_max) const;
    void write_repr(std::string& out, std::size_t bytes_max) const;

    // The name of its Python type, for errors.
    [[nodiscard]] std::string_view type_name() const;

private:
    friend class TemplateEvaluator;

    [[nodiscard]] int depth() const;

    std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const std::string>,
                 std::shared_ptr<const List>, std::shared_ptr<Map>, std::shared_ptr<const Function>>
        data_;
};

// How Python writes a float.
[[nodiscard]] std::string python_float(double value);

struct JsonStyle {
    bool ensure_ascii = false;
    int indent = -1;  // none
    std::string item_separator = ", ";
    std::string key_separator = ": ";
    bool sort_keys = false;
};

// Python's json.dumps, appended to `out`, stopping once it has `bytes_max`. False for a value that
// JSON cannot hold.
[[nodiscard]] bool write_json(const TemplateValue& value, const JsonStyle& style, std::string& out,
                              std::size_t bytes_max);

}  // namespace heddle::text
