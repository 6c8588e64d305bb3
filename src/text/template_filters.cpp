// The filters and tests of Jinja that chat templates use.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "text/template_evaluator.h"
#include "text/template_text.h"

namespace heddle::text {
namespace {

using Value = TemplateValue;
using Arguments = TemplateArguments;

Value argument_or(const Arguments& arguments, std::size_t place, std::string_view name,
                  Value otherwise) {
    const Value* found = arguments.find(place, name);
    return found == nullptr ? std::move(otherwise) : *found;
}

// "a.b.0" of a value, as map, sort and selectattr take it.
Value path_of(TemplateEvaluator& evaluator, Value value, const Value& path) {
    if (!path.is_string()) return evaluator.item(value, path);
    std::string_view rest = *path.string_if();
    while (!rest.empty() && !value.is_undefined()) {
        const std::size_t dot = rest.find('.');
        const std::string part(rest.substr(0, dot));
        rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
        std::int64_t place = 0;
        const char* const end = part.data() + part.size();
        const bool is_place = std::from_chars(part.data(), end, place).ptr == end && place >= 0;
        value = evaluator.item(value, is_place && !part.empty() ? Value(place) : Value(part));
    }
    return value;
}

Value filter_default(TemplateEvaluator&, const Value& value, const Arguments& arguments) {
    const bool also_false = argument_or(arguments, 1, "boolean", false).is_true();
    const bool replaced = value.is_undefined() || (also_false && !value.is_true());
    return replaced ? argument_or(arguments, 0, "default_value", "") : value;
}

Value filter_length(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    if (const auto* list = value.list_if()) return static_cast<std::int64_t>(list->items.size());
    if (const auto* map = value.map_if()) return static_cast<std::int64_t>(map->entries.size());
    if (!value.is_string() && !value.is_undefined()) {
        throw TemplateFailure(fmt::format("a {} has no length", value.type_name()));
    }
    return static_cast<std::int64_t>(evaluator.items_of(value).size());
}

Value filter_tojson(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    JsonStyle style;
    style.ensure_ascii = argument_or(arguments, 0, "ensure_ascii", false).is_true();
    const Value indent = argument_or(arguments, 1, "indent", Value::None{});
    if (indent.is_number()) {
        style.indent = static_cast<int>(std::clamp<std::int64_t>(indent.as_integer(), 0, 64));
        style.item_separator = ",";
    }
    const Value separators = argument_or(arguments, 2, "separators", Value::None{});
    if (const auto* pair = separators.list_if(); pair && pair->items.size() == 2) {
        style.item_separator = evaluator.to_text(pair->items[0]);
        style.key_separator = evaluator.to_text(pair->items[1]);
    }
    style.sort_keys = argument_or(arguments, 3, "sort_keys", false).is_true();
    std::string out;
    if (!write_json(value, style, out, evaluator.bytes_left() + 1)) {
        throw TemplateFailure("a value cannot be written as JSON");
    }
    return evaluator.text(std::move(out));
}

Value filter_join(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const std::string separator = evaluator.to_text(argument_or(arguments, 0, "d", ""));
    const Value* path = arguments.find(1, "attribute");
    std::string out;
    bool first = true;
    for (const Value& item : evaluator.items_of(value)) {
        if (!first) out += separator;
        first = false;
        out += evaluator.to_text(path ? path_of(evaluator, item, *path) : item);
        evaluator.spend_bytes(separator.size());
    }
    return evaluator.text(std::move(out));
}

Value filter_first(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    const std::vector<Value> items = evaluator.items_of(value);
    return items.empty() ? Value() : items.front();
}

Value filter_last(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    const std::vector<Value> items = evaluator.items_of(value);
    return items.empty() ? Value() : items.back();
}

Value filter_list(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return Value::List{evaluator.items_of(value)};
}

Value filter_items(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    if (value.is_undefined()) return Value::List{};
    const Value::Map* map = value.map_if();
    if (map == nullptr) throw TemplateFailure("only a map has items");
    Value::List list;
    evaluator.spend_steps(map->entries.size());
    for (const auto& [key, field] : map->entries) {
        list.items.emplace_back(Value::List{{map->key_value(key), field}, true});
    }
    return list;
}

// Sorted without regard to case unless asked otherwise, equal ones as they stood.
void sort_values(std::vector<std::pair<Value, Value>>& keyed, bool case_sensitive, bool reverse) {
    if (!case_sensitive) {
        for (auto& [key, value] : keyed) {
            if (key.is_string()) key = lower_text(*key.string_if());
        }
    }
    std::vector<std::size_t> order(keyed.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        const auto& [left, right] = reverse ? std::pair(b, a) : std::pair(a, b);
        if (template_less(keyed[left].first, keyed[right].first)) return true;
        if (template_less(keyed[right].first, keyed[left].first)) return false;
        return a < b;
    });
    std::vector<std::pair<Value, Value>> sorted;
    for (const std::size_t i : order) sorted.push_back(std::move(keyed[i]));
    keyed = std::move(sorted);
}

Value filter_sort(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const bool reverse = argument_or(arguments, 0, "reverse", false).is_true();
    const bool case_sensitive = argument_or(arguments, 1, "case_sensitive", false).is_true();
    const Value* path = arguments.find(2, "attribute");
    std::vector<std::pair<Value, Value>> keyed;
    for (const Value& item : evaluator.items_of(value)) {
        keyed.emplace_back(path ? path_of(evaluator, item, *path) : item, item);
    }
    sort_values(keyed, case_sensitive, reverse);
    Value::List list;
    for (auto& [key, item] : keyed) list.items.push_back(std::move(item));
    return list;
}

Value filter_dictsort(TemplateEvaluator& evaluator, const Value& value,
                      const Arguments& arguments) {
    const Value::Map* map = value.map_if();
    if (map == nullptr) throw TemplateFailure("dictsort needs a map");
    const bool case_sensitive = argument_or(arguments, 0, "case_sensitive", false).is_true();
    const bool by_value = argument_or(arguments, 1, "by", "key").equals("value");
    const bool reverse = argument_or(arguments, 2, "reverse", false).is_true();
    evaluator.spend_steps(map->entries.size());
    std::vector<std::pair<Value, Value>> keyed;
    for (const auto& [key, field] : map->entries) {
        keyed.emplace_back(by_value ? field : map->key_value(key),
                           Value::List{{map->key_value(key), field}, true});
    }
    sort_values(keyed, case_sensitive, reverse);
    Value::List list;
    for (auto& [key, pair] : keyed) list.items.push_back(std::move(pair));
    return list;
}

Value filter_unique(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    Value::List list;
    for (const Value& item : evaluator.items_of(value)) {
        evaluator.spend_steps(list.items.size());
        const bool seen = std::ranges::any_of(
            list.items, [&item](const Value& other) { return other.equals(item); });
        if (!seen) list.items.push_back(item);
    }
    return list;
}

Value filter_map(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const Value* path = nullptr;
    const Value* otherwise = nullptr;
    for (const auto& [name, argument] : arguments.named) {
        if (name == "attribute") path = &argument;
        if (name == "default") otherwise = &argument;
    }
    if (path == nullptr && (arguments.positional.empty() || !arguments.positional[0].is_string())) {
        throw TemplateFailure("map needs a filter or an attribute");
    }
    Arguments rest = arguments;
    if (path == nullptr) rest.positional.erase(rest.positional.begin());
    Value::List list;
    list.is_lazy = true;
    if (!value.is_true()) return list;
    for (const Value& item : evaluator.items_of(value)) {
        if (path == nullptr) {
            list.items.push_back(
                apply_template_filter(evaluator, *arguments.positional[0].string_if(), item, rest));
            continue;
        }
        Value found = path_of(evaluator, item, *path);
        list.items.push_back(found.is_undefined() && otherwise ? *otherwise : std::move(found));
    }
    return list;
}

// select, reject and their …attr forms.
Value select_items(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments,
                   bool by_attribute, bool wanted) {
    Arguments rest = arguments;
    std::optional<Value> path;
    if (by_attribute) {
        if (rest.positional.empty()) throw TemplateFailure("an attribute is missing");
        path = rest.positional.front();
        rest.positional.erase(rest.positional.begin());
    }
    std::string test;
    if (!rest.positional.empty()) {
        test = evaluator.to_text(rest.positional.front());
        rest.positional.erase(rest.positional.begin());
    }
    Value::List list;
    list.is_lazy = true;
    if (!value.is_true()) return list;
    for (const Value& item : evaluator.items_of(value)) {
        const Value subject = path ? path_of(evaluator, item, *path) : item;
        const bool holds =
            test.empty() ? subject.is_true() : apply_template_test(evaluator, test, subject, rest);
        if (holds == wanted) list.items.push_back(item);
    }
    return list;
}

Value filter_select(TemplateEvaluator& e, const Value& value, const Arguments& arguments) {
    return select_items(e, value, arguments, false, true);
}
Value filter_reject(TemplateEvaluator& e, const Value& value, const Arguments& arguments) {
    return select_items(e, value, arguments, false, false);
}
Value filter_selectattr(TemplateEvaluator& e, const Value& value, const Arguments& arguments) {
    return select_items(e, value, arguments, true, true);
}
Value filter_rejectattr(TemplateEvaluator& e, const Value& value, const Arguments& arguments) {
    return select_items(e, value, arguments, true, false);
}

Value filter_reverse(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    std::vector<Value> items = evaluator.items_of(value);
    std::ranges::reverse(items);
    if (!value.is_string()) return Value::List{std::move(items)};
    std::string out;
    for (const Value& item : items) out += *item.string_if();
    return evaluator.text(std::move(out));
}

Value filter_int(TemplateEvaluator&, const Value& value, const Arguments& arguments) {
    if (value.is_number()) return value.as_integer();
    if (value.is_string()) {
        if (const auto number = parse_python_number(*value.string_if())) {
            return number->as_integer();
        }
    }
    return argument_or(arguments, 0, "default", 0);
}

Value filter_float(TemplateEvaluator&, const Value& value, const Arguments& arguments) {
    if (value.is_number()) return value.as_float();
    if (value.is_string()) {
        if (const auto number = parse_python_number(*value.string_if())) return number->as_float();
    }
    return argument_or(arguments, 0, "default", 0.0);
}

Value filter_abs(TemplateEvaluator&, const Value& value, const Arguments&) {
    if (value.is_float()) return std::abs(value.as_float());
    const std::int64_t number = value.as_integer();
    if (number == INT64_MIN) throw TemplateFailure("a number is too large");
    return number < 0 ? -number : number;
}

Value filter_round(TemplateEvaluator&, const Value& value, const Arguments& arguments) {
    const std::int64_t digits = argument_or(arguments, 0, "precision", 0).as_integer();
    const Value method = argument_or(arguments, 1, "method", "common");
    const double scale =
        std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(digits, -300, 300)));
    const double scaled = value.as_float() * scale;
    if (method.equals("ceil")) return std::ceil(scaled) / scale;
    if (method.equals("floor")) return std::floor(scaled) / scale;
    return std::nearbyint(scaled) / scale;  // half to even, as Python
}

Value filter_sum(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const Value* path = arguments.find(0, "attribute");
    double total = 0;
    bool is_float = false;
    for (const Value& item : evaluator.items_of(value)) {
        const Value part = path ? path_of(evaluator, item, *path) : item;
        is_float |= part.is_float();
        total += part.as_float();
    }
    if (is_float) return total;
    return static_cast<std::int64_t>(total);
}

Value extreme(TemplateEvaluator& evaluator, const Value& value, bool largest) {
    const std::vector<Value> items = evaluator.items_of(value);
    if (items.empty()) return {};
    const Value* best = &items.front();
    for (const Value& item : items) {
        const bool better = largest ? template_less(*best, item) : template_less(item, *best);
        if (better) best = &item;
    }
    return *best;
}

Value filter_max(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return extreme(evaluator, value, true);
}
Value filter_min(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return extreme(evaluator, value, false);
}

Value filter_string(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return evaluator.to_text(value);
}

Value filter_trim(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const Value characters = argument_or(arguments, 0, "chars", Value::None{});
    const std::string text = evaluator.to_text(value);
    return evaluator.text(strip_text(
        text, characters.is_string() ? *characters.string_if() : std::string_view(), true, true));
}

Value filter_upper(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return evaluator.text(upper_text(evaluator.to_text(value)));
}
Value filter_lower(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return evaluator.text(lower_text(evaluator.to_text(value)));
}
Value filter_title(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return evaluator.text(title_text(evaluator.to_text(value)));
}
Value filter_capitalize(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    return evaluator.text(capitalize_text(evaluator.to_text(value)));
}

Value filter_replace(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const std::string text = evaluator.to_text(value);
    const std::string from = evaluator.to_text(argument_or(arguments, 0, "old", ""));
    const std::string to = evaluator.to_text(argument_or(arguments, 1, "new", ""));
    const Value count = argument_or(arguments, 2, "count", Value::None{});
    const std::int64_t limit = count.is_number() ? count.as_integer() : -1;
    return evaluator.text(replace_text(text, from, to, limit, evaluator.bytes_left() + 1));
}

Value filter_indent(TemplateEvaluator& evaluator, const Value& value, const Arguments& arguments) {
    const Value width = argument_or(arguments, 0, "width", 4);
    const bool first = argument_or(arguments, 1, "first", false).is_true();
    const bool blank = argument_or(arguments, 2, "blank", false).is_true();
    const auto count =
        static_cast<std::size_t>(std::clamp<std::int64_t>(width.as_integer(), 0, 1000));
    const std::string margin = width.is_string() ? *width.string_if() : std::string(count, ' ');
    const std::string text = evaluator.to_text(value);
    std::string out = first ? margin : std::string();
    std::size_t line = 0;
    for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', line)) {
        out.append(text, line, end + 1 - line);
        line = end + 1;
        const bool empty = line == text.size() || text[line] == '\n';
        if (!empty || blank) out += margin;
        if (out.size() > evaluator.bytes_left()) break;
    }
    return evaluator.text(out.append(text, line));
}

Value filter_escape(TemplateEvaluator& evaluator, const Value& value, const Arguments&) {
    std::string out;
    for (const char c : evaluator.to_text(value)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '\'':
                out += "&#39;";
                break;
            case '"':
                out += "&#34;";
                break;
            default:
                out += c;
        }
    }
    return evaluator.text(std::move(out));
}

Value filter_safe(TemplateEvaluator&, const Value& value, const Arguments&) {
    return value;
}

using Filter = Value (*)(TemplateEvaluator&, const Value&, const Arguments&);

constexpr std::array<std::pair<std::string_view, Filter>, 37> kFilters = {{
    {"abs", filter_abs},
    {"capitalize", filter_capitalize},
    {"count", filter_length},
    {"d", filter_default},
    {"default", filter_default},
    {"dictsort", filter_dictsort},
    {"e", filter_escape},
    {"escape", filter_escape},
    {"first", filter_first},
    {"float", filter_float},
    {"indent", filter_indent},
    {"int", filter_int},
    {"items", filter_items},
    {"join", filter_join},
    {"last", filter_last},
    {"length", filter_length},
    {"list", filter_list},
    {"lower", filter_lower},
    {"map", filter_map},
    {"max", filter_max},
    {"min", filter_min},
    {"reject", filter_reject},
    {"rejectattr", filter_rejectattr},
    {"replace", filter_replace},
    {"reverse", filter_reverse},
    {"round", filter_round},
    {"safe", filter_safe},
    {"select", filter_select},
    {"selectattr", filter_selectattr},
    {"sort", filter_sort},
    {"string", filter_string},
    {"sum", filter_sum},
    {"title", filter_title},
    {"tojson", filter_tojson},
    {"trim", filter_trim},
    {"unique", filter_unique},
    {"upper", filter_upper},
}};

// Tests of one value.
std::optional<bool> test_kind(std::string_view name, const Value& value) {
    if (name == "defined") return !value.is_undefined();
    if (name == "undefined") return value.is_undefined();
    if (name == "none") return value.is_none();
    if (name == "boolean") return value.is_bool();
    if (name == "true") return value.is_bool() && value.is_true();
    if (name == "false") return value.is_bool() && !value.is_true();
    if (name == "integer") return value.is_integer();
    if (name == "float") return value.is_float();
    if (name == "number") return value.is_number();
    if (name == "string") return value.is_string();
    if (name == "mapping") return value.is_map() && !value.namespace_if();
    if (name == "sequence" || name == "iterable") {
        const bool plain_map = value.is_map() && !value.namespace_if();
        return value.is_string() || value.is_list() || plain_map || value.is_undefined();
    }
    if (name == "callable") return value.function_if() != nullptr;
    if (name == "odd") return value.as_integer() % 2 != 0;
    if (name == "even") return value.as_integer() % 2 == 0;
    return std::nullopt;
}

// Tests against another value.
std::optional<bool> test_pair(TemplateEvaluator& evaluator, std::string_view name,
                              const Value& value, const Value& other) {
    if (name == "eq" || name == "equalto" || name == "==") return value.equals(other);
    if (name == "ne" || name == "!=") return !value.equals(other);
    if (name == "lt" || name == "lessthan" || name == "<") return template_less(value, other);
    if (name == "gt" || name == "greaterthan" || name == ">") return template_less(other, value);
    if (name == "le" || name == "<=") return !template_less(other, value);
    if (name == "ge" || name == ">=") return !template_less(value, other);
    if (name == "sameas") {
        return value.type_name() == other.type_name() && value.equals(other);
    }
    if (name == "divisibleby") {
        if (other.as_integer() == 0) throw TemplateFailure("division by zero");
        return other.as_integer() == -1 || value.as_integer() % other.as_integer() == 0;
    }
    if (name == "in") return evaluator.contains(other, value);
    return std::nullopt;
}

}  // namespace

TemplateValue apply_template_filter(TemplateEvaluator& evaluator, std::string_view name,
                                    const TemplateValue& value,
                                    const TemplateArguments& arguments) {
    for (const auto& [known, filter] : kFilters) {
        if (name == known) return filter(evaluator, value, arguments);
    }
    throw TemplateFailure(fmt::format("unknown filter \"{}\"", name));
}

bool apply_template_test(TemplateEvaluator& evaluator, std::string_view name,
                         const TemplateValue& value, const TemplateArguments& arguments) {
    if (const auto holds = test_kind(name, value)) return *holds;
    if (name == "upper" || name == "lower") {
        const std::string text = evaluator.to_text(value);
        const std::string other = name == "upper" ? lower_text(text) : upper_text(text);
        return (name == "upper" ? upper_text(text) : lower_text(text)) == text && other != text;
    }
    if (!arguments.positional.empty()) {
        if (const auto holds = test_pair(evaluator, name, value, arguments.positional[0])) {
            return *holds;
        }
    }
    throw TemplateFailure(fmt::format("unknown test \"{}\"", name));
}

}  // namespace heddle::text
