// The methods of Python's strings, lists and dictionaries that chat templates call. Those that
// change a list or a dictionary are refused, as transformers' sandbox refuses them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/template_evaluator.h"
#include "text/template_text.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

using Value = TemplateValue;
using Arguments = TemplateArguments;

std::string_view string_argument(const Arguments& given, std::size_t place, std::string_view name) {
    const Value* found = given.find(place, name);
    if (found == nullptr || found->is_none()) return {};
    if (!found->is_string()) throw TemplateFailure(fmt::format("\"{}\" is not a string", name));
    return *found->string_if();
}

std::int64_t integer_argument(const Arguments& given, std::size_t place, std::string_view name,
                              std::int64_t otherwise) {
    const Value* found = given.find(place, name);
    return found == nullptr || !found->is_number() ? otherwise : found->as_integer();
}

Value as_list(std::vector<std::string> parts) {
    Value::List list;
    for (std::string& part : parts) list.items.emplace_back(std::move(part));
    return list;
}

Value split_method(TemplateEvaluator&, const std::string& text, const Arguments& given,
                   bool from_right) {
    const std::string_view separator = string_argument(given, 0, "sep");
    return as_list(
        split_text(text, separator, integer_argument(given, 1, "maxsplit", -1), from_right));
}

// startswith and endswith take one string or a tuple of them.
bool has_affix(const std::string& text, const Arguments& given, bool prefix) {
    const Value* affix = given.find(0, "prefix");
    if (affix == nullptr) throw TemplateFailure("an argument is missing");
    const auto holds = [&](const Value& value) {
        if (!value.is_string()) throw TemplateFailure("a prefix is not a string");
        const std::string& part = *value.string_if();
        return prefix ? text.starts_with(part) : text.ends_with(part);
    };
    if (const auto* list = affix->list_if()) return std::ranges::any_of(list->items, holds);
    return holds(*affix);
}

bool all_characters(const std::string& text, bool (*holds)(CharacterClass)) {
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        if (!holds(class_of(c.code_point))) return false;
        i += c.length;
    }
    return !text.empty();
}

bool is_space(CharacterClass c) {
    return c.is_space();
}

// "{} and {name}": fields without formats or attributes.
Value format_method(TemplateEvaluator& evaluator, const std::string& text, const Arguments& given) {
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
            out += c;
            ++i;
            continue;
        }
        if (c != '{') {
            out += c;
            continue;
        }
        const std::size_t close = text.find('}', i);
        if (close == text.npos) throw TemplateFailure("a format is not closed");
        const std::string_view name = std::string_view(text).substr(i + 1, close - i - 1);
        i = close;
        const Value* value = nullptr;
        if (name.empty()) {
            value = given.find(next++, "");
        } else if (name.size() == 1 && name[0] >= '0' && name[0] <= '9') {
            value = given.find(static_cast<std::size_t>(name[0] - '0'), "");
        } else {
            value = given.find(given.positional.size(), name);
        }
        if (value == nullptr) throw TemplateFailure("a format names a value that was not given");
        out += evaluator.to_text(*value);
    }
    return evaluator.text(std::move(out));
}

Value strip_method(TemplateEvaluator& evaluator, const std::string& text, const Arguments& given,
                   bool left, bool right) {
    return evaluator.text(strip_text(text, string_argument(given, 0, "chars"), left, right));
}

Value find_method(const std::string& text, const Arguments& given, bool last) {
    const std::string_view part = string_argument(given, 0, "sub");
    const std::size_t found = last ? text.rfind(part) : text.find(part);
    if (found == text.npos) return -1;
    return static_cast<std::int64_t>(count_code_points(std::string_view(text).substr(0, found)));
}

Value count_method(TemplateEvaluator& evaluator, const std::string& text, const Arguments& given) {
    const std::string_view part = string_argument(given, 0, "sub");
    if (part.empty()) return static_cast<std::int64_t>(count_code_points(text)) + 1;
    std::int64_t count = 0;
    for (std::size_t at = text.find(part); at != text.npos;
         at = text.find(part, at + part.size())) {
        evaluator.spend_steps(1);
        ++count;
    }
    return count;
}

Value join_method(TemplateEvaluator& evaluator, const std::string& separator,
                  const Arguments& given) {
    const Value* list = given.find(0, "iterable");
    if (list == nullptr) throw TemplateFailure("an argument is missing");
    std::string out;
    bool first = true;
    for (const Value& item : evaluator.items_of(*list)) {
        if (!item.is_string()) throw TemplateFailure("only strings can be joined");
        if (!std::exchange(first, false)) out += separator;
        out += *item.string_if();
        evaluator.spend_bytes(separator.size() + item.string_if()->size());
    }
    return Value(std::move(out));
}

using StringMethod = Value (*)(TemplateEvaluator&, const std::string&, const Arguments&);
using E = TemplateEvaluator;
using S = std::string;
using A = Arguments;

constexpr std::array<std::pair<std::string_view, StringMethod>, 27> kStringMethods = {{
    {"strip", [](E& e, const S& s, const A& a) { return strip_method(e, s, a, true, true); }},
    {"lstrip", [](E& e, const S& s, const A& a) { return strip_method(e, s, a, true, false); }},
    {"rstrip", [](E& e, const S& s, const A& a) { return strip_method(e, s, a, false, true); }},
    {"split", [](E& e, const S& s, const A& a) { return split_method(e, s, a, false); }},
    {"rsplit", [](E& e, const S& s, const A& a) { return split_method(e, s, a, true); }},
    {"splitlines",
     [](E&, const S& s, const A& a) {
         return as_list(split_lines(s, integer_argument(a, 0, "keepends", 0) != 0));
     }},
    {"startswith", [](E&, const S& s, const A& a) { return Value(has_affix(s, a, true)); }},
    {"endswith", [](E&, const S& s, const A& a) { return Value(has_affix(s, a, false)); }},
    {"replace",
     [](E& e, const S& s, const A& a) {
         return e.text(replace_text(s, string_argument(a, 0, "old"), string_argument(a, 1, "new"),
                                    integer_argument(a, 2, "count", -1), e.bytes_left() + 1));
     }},
    {"upper", [](E& e, const S& s, const A&) { return e.text(upper_text(s)); }},
    {"lower", [](E& e, const S& s, const A&) { return e.text(lower_text(s)); }},
    {"title", [](E& e, const S& s, const A&) { return e.text(title_text(s)); }},
    {"capitalize", [](E& e, const S& s, const A&) { return e.text(capitalize_text(s)); }},
    {"find", [](E&, const S& s, const A& a) { return find_method(s, a, false); }},
    {"rfind", [](E&, const S& s, const A& a) { return find_method(s, a, true); }},
    {"count", count_method},
    {"join", join_method},
    {"format", format_method},
    {"removeprefix",
     [](E& e, const S& s, const A& a) {
         const std::string_view prefix = string_argument(a, 0, "prefix");
         return e.text(s.starts_with(prefix) ? s.substr(prefix.size()) : s);
     }},
    {"removesuffix",
     [](E& e, const S& s, const A& a) {
         const std::string_view suffix = string_argument(a, 0, "suffix");
         return e.text(s.ends_with(suffix) ? s.substr(0, s.size() - suffix.size()) : s);
     }},
    {"isdigit",
     [](E&, const S& s, const A&) {
         return Value(
             all_characters(s, [](CharacterClass c) { return c.category() == Category::kNd; }));
     }},
    {"isnumeric",
     [](E&, const S& s, const A&) {
         return Value(all_characters(s, [](CharacterClass c) { return c.is_number(); }));
     }},
    {"isalpha",
     [](E&, const S& s, const A&) {
         return Value(all_characters(s, [](CharacterClass c) { return c.is_letter(); }));
     }},
    {"isalnum",
     [](E&, const S& s, const A&) {
         return Value(
             all_characters(s, [](CharacterClass c) { return c.is_letter() || c.is_number(); }));
     }},
    {"isspace", [](E&, const S& s, const A&) { return Value(all_characters(s, is_space)); }},
    {"isupper",
     [](E&, const S& s, const A&) { return Value(upper_text(s) == s && lower_text(s) != s); }},
    {"islower",
     [](E&, const S& s, const A&) { return Value(lower_text(s) == s && upper_text(s) != s); }},
}};

Value string_method(TemplateEvaluator& evaluator, const Value& value, std::string_view name) {
    for (const auto& [known, method] : kStringMethods) {
        if (known != name) continue;
        const auto bound = method;
        return Value::Function([&evaluator, value, bound](const Arguments& given) {
            evaluator.spend_steps(value.string_if()->size() / 64);
            return bound(evaluator, *value.string_if(), given);
        });
    }
    return {};
}

Value map_method(TemplateEvaluator& evaluator, const Value& value, std::string_view name) {
    if (name == "get") {
        return Value::Function([&evaluator, value](const Arguments& given) -> Value {
            const Value* key = given.find(0, "key");
            if (key == nullptr) throw TemplateFailure("get needs a key");
            evaluator.spend_steps(value.map_if()->entries.size() / 16);
            const Value* found =
                key->is_string() ? value.map_if()->find(*key->string_if()) : nullptr;
            if (found != nullptr) return *found;
            const Value* otherwise = given.find(1, "default");
            return otherwise ? *otherwise : Value(Value::None{});
        });
    }
    if (name == "items" || name == "keys" || name == "values" || name == "copy") {
        return Value::Function([&evaluator, value, name = std::string(name)](const Arguments&) {
            if (name == "copy") return value;
            Value::List list;
            evaluator.spend_steps(value.map_if()->entries.size());
            for (const auto& [key, field] : value.map_if()->entries) {
                if (name == "items")
                    list.items.emplace_back(
                        Value::List{{value.map_if()->key_value(key), field}, true});
                if (name == "keys") list.items.push_back(value.map_if()->key_value(key));
                if (name == "values") list.items.push_back(field);
            }
            return Value(std::move(list));
        });
    }
    constexpr std::array<std::string_view, 5> kChanging = {"pop", "update", "clear", "setdefault",
                                                           "popitem"};
    if (std::ranges::find(kChanging, name) == kChanging.end()) return {};
    throw TemplateFailure(fmt::format("a template may not call {} of a map", name));
}

Value list_method(TemplateEvaluator& evaluator, const Value& value, std::string_view name) {
    if (name == "index" || name == "count") {
        return Value::Function(
            [&evaluator, value, counts = name == "count"](const Arguments& given) -> Value {
                const Value* wanted = given.find(0, "value");
                if (wanted == nullptr) throw TemplateFailure("an argument is missing");
                const auto& items = value.list_if()->items;
                evaluator.spend_steps(items.size());
                const auto same = [wanted](const Value& item) { return item.equals(*wanted); };
                if (counts) return static_cast<std::int64_t>(std::ranges::count_if(items, same));
                const auto found = std::ranges::find_if(items, same);
                if (found == items.end()) throw TemplateFailure("a value is not in the list");
                return static_cast<std::int64_t>(found - items.begin());
            });
    }
    constexpr std::array<std::string_view, 8> kChanging = {"append", "extend", "insert",  "pop",
                                                           "remove", "sort",   "reverse", "clear"};
    if (std::ranges::find(kChanging, name) == kChanging.end()) return {};
    throw TemplateFailure(fmt::format("a template may not call {} of a list", name));
}

}  // namespace

TemplateValue find_template_method(TemplateEvaluator& evaluator, const TemplateValue& value,
                                   std::string_view name) {
    if (value.is_string()) return string_method(evaluator, value, name);
    if (value.is_map()) return map_method(evaluator, value, name);
    if (value.is_list()) return list_method(evaluator, value, name);
    return {};
}

namespace {

// One field of strftime.
std::string format_time_field(char field, bool unpadded, std::chrono::sys_seconds now) {
    using namespace std::chrono;
    static constexpr std::array<std::string_view, 12> kMonths = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    static constexpr std::array<std::string_view, 7> kDays = {
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    const auto day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss time(now - day);
    const int year = static_cast<int>(date.year());
    const unsigned month = static_cast<unsigned>(date.month());
    const auto hour = static_cast<int>(time.hours().count());
    const std::string_view month_name = kMonths[month - 1];
    const std::string_view day_name = kDays[weekday(day).c_encoding()];
    const auto number = [unpadded](auto value, int width) {
        return unpadded ? fmt::format("{}", value) : fmt::format("{:0{}}", value, width);
    };
    switch (field) {
        case 'Y':
            return number(year, 4);
        case 'y':
            return number(year % 100, 2);
        case 'm':
            return number(month, 2);
        case 'd':
            return number(static_cast<unsigned>(date.day()), 2);
        case 'H':
            return number(hour, 2);
        case 'I':
            return number(hour % 12 == 0 ? 12 : hour % 12, 2);
        case 'M':
            return number(time.minutes().count(), 2);
        case 'S':
            return number(time.seconds().count(), 2);
        case 'j':
            return number((day - sys_days(date.year() / 1 / 1)).count() + 1, 3);
        case 'p':
            return hour < 12 ? "AM" : "PM";
        case 'B':
            return std::string(month_name);
        case 'b':
            return std::string(month_name.substr(0, 3));
        case 'A':
            return std::string(day_name);
        case 'a':
            return std::string(day_name.substr(0, 3));
        case 'Z':
            return "UTC";
        case 'z':
            return "+0000";
        case '%':
            return "%";
        default:
            return {'%', field};
    }
}

}  // namespace

std::string format_template_time(std::string_view format, std::chrono::sys_seconds now) {
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out += format[i];
            continue;
        }
        const bool unpadded = format[i + 1] == '-' && i + 2 < format.size();
        i += unpadded ? 2 : 1;
        out += format_time_field(format[i], unpadded, now);
    }
    return out;
}

}  // namespace heddle::text
