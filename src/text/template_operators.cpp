// The operators and subscripts of chat templates, by the rules of Python.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "text/template_evaluator.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

std::vector<std::string> characters_of(std::string_view text) {
    std::vector<std::string> characters;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = decode_utf8(text, i).length;
        characters.emplace_back(text.substr(i, length));
        i += length;
    }
    return characters;
}

// The places that a slice of something with `size` items takes, in order.
std::vector<std::size_t> slice_places(std::int64_t size, const TemplateValue& from,
                                      const TemplateValue& to, std::int64_t step) {
    const auto bound = [size, step](const TemplateValue& value, std::int64_t otherwise) {
        if (value.is_none() || value.is_undefined()) return otherwise;
        std::int64_t place = value.as_integer();
        if (place < 0) place += size;
        return std::clamp<std::int64_t>(place, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    };
    const std::int64_t begin = bound(from, step > 0 ? 0 : size - 1);
    const std::int64_t end = bound(to, step > 0 ? size : -1);
    std::vector<std::size_t> places;
    for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
        places.push_back(static_cast<std::size_t>(i));
        if (__builtin_add_overflow(i, step, &i)) break;
    }
    return places;
}

}  // namespace

std::vector<TemplateValue> TemplateEvaluator::items_of(const TemplateValue& value) {
    std::vector<TemplateValue> items;
    if (const TemplateValue::List* list = value.list_if()) {
        items = list->items;
    } else if (const TemplateValue::Map* map = value.map_if()) {
        for (const auto& [key, field] : map->entries) items.push_back(map->key_value(key));
    } else if (const std::string* text = value.string_if()) {
        spend_steps(text->size());
        for (std::string& character : characters_of(*text))
            items.emplace_back(std::move(character));
        return items;
    } else if (!value.is_undefined()) {
        fail_here(fmt::format("a {} cannot be gone over", value.type_name()));
    }
    spend_steps(items.size());
    return items;
}

TemplateValue TemplateEvaluator::attribute(const TemplateValue& value, std::string_view name) {
    if (const auto* undefined = value.undefined_if()) {
        fail_here(fmt::format("\"{}\" is undefined", undefined->name));
    }
    // As in Python the methods of a map hide its keys of the same name.
    const TemplateValue::Map* map = value.map_if();
    if (map == nullptr || !map->is_namespace) {
        TemplateValue method = find_template_method(*this, value, name);
        if (!method.is_undefined()) return method;
    }
    if (map != nullptr) {
        spend_steps(map->entries.size() / 16);
        if (const TemplateValue* field = map->find(name)) return *field;
    }
    return TemplateValue::Undefined{std::string(name)};
}

TemplateValue TemplateEvaluator::item(const TemplateValue& value, const TemplateValue& key) {
    if (const auto* undefined = value.undefined_if()) {
        fail_here(fmt::format("\"{}\" is undefined", undefined->name));
    }
    if (const std::string* name = key.string_if()) {
        if (const TemplateValue::Map* map = value.map_if()) {
            spend_steps(map->entries.size() / 16);
            if (const TemplateValue* field = map->find(*name)) return *field;
        }
        return attribute(value, *name);
    }
    const TemplateValue::Map* map = value.map_if();
    if (map && map->has_integer_keys && key.is_integer()) {
        if (const TemplateValue* field = map->find(to_text(key))) return *field;
    }
    const bool by_place = key.is_integer() || key.is_bool();
    std::int64_t place = key.as_integer();
    if (const TemplateValue::List* list = value.list_if(); list && by_place) {
        const auto size = static_cast<std::int64_t>(list->items.size());
        if (place < 0) place += size;
        if (place >= 0 && place < size) return list->items[static_cast<std::size_t>(place)];
    } else if (const std::string* text = value.string_if(); text && by_place) {
        spend_steps(text->size() / 8);
        const std::vector<std::string> characters = characters_of(*text);
        const auto size = static_cast<std::int64_t>(characters.size());
        if (place < 0) place += size;
        if (place >= 0 && place < size) return characters[static_cast<std::size_t>(place)];
    }
    return TemplateValue::Undefined{to_text(key)};
}

TemplateValue TemplateEvaluator::evaluate_slice(const TemplateExpression& node) {
    const TemplateValue value = evaluate(node.children[0]);
    const TemplateValue from = evaluate(node.children[1]);
    const TemplateValue to = evaluate(node.children[2]);
    const TemplateValue step_value = evaluate(node.children[3]);
    const std::int64_t step = step_value.is_none() ? 1 : step_value.as_integer();
    if (step == 0) fail_here("a slice with a step of zero");
    if (const TemplateValue::List* list = value.list_if()) {
        const auto size = static_cast<std::int64_t>(list->items.size());
        TemplateValue::List part;
        part.is_tuple = list->is_tuple;
        for (const std::size_t place : slice_places(size, from, to, step)) {
            spend_steps(1);
            part.items.push_back(list->items[place]);
        }
        return part;
    }
    if (const std::string* whole = value.string_if()) {
        spend_steps(whole->size() / 8);
        const std::vector<std::string> characters = characters_of(*whole);
        std::string part;
        for (const std::size_t place :
             slice_places(static_cast<std::int64_t>(characters.size()), from, to, step)) {
            part += characters[place];
        }
        return text(std::move(part));
    }
    fail_here(fmt::format("a {} cannot be sliced", value.type_name()));
}

TemplateValue TemplateEvaluator::add(const TemplateValue& left, const TemplateValue& right) {
    if (left.is_string() && right.is_string()) {
        spend_bytes(left.string_if()->size() + right.string_if()->size());
        return *left.string_if() + *right.string_if();
    }
    if (left.is_list() && right.is_list()) {
        TemplateValue::List list = *left.list_if();
        const auto& more = right.list_if()->items;
        spend_steps(list.items.size() + more.size());
        list.items.insert(list.items.end(), more.begin(), more.end());
        return list;
    }
    if (!left.is_number() || !right.is_number()) {
        fail_here(
            fmt::format("a {} and a {} cannot be added", left.type_name(), right.type_name()));
    }
    if (left.is_float() || right.is_float()) return left.as_float() + right.as_float();
    std::int64_t sum = 0;
    if (__builtin_add_overflow(left.as_integer(), right.as_integer(), &sum)) {
        fail_here("a number is too large");
    }
    return sum;
}

TemplateValue TemplateEvaluator::multiply(const TemplateValue& left, const TemplateValue& right) {
    if (left.is_number() && right.is_number()) {
        if (left.is_float() || right.is_float()) return left.as_float() * right.as_float();
        std::int64_t product = 0;
        if (__builtin_mul_overflow(left.as_integer(), right.as_integer(), &product)) {
            fail_here("a number is too large");
        }
        return product;
    }
    const TemplateValue& row = left.is_number() ? right : left;
    const TemplateValue& factor = left.is_number() ? left : right;
    if (!factor.is_number() || factor.is_float() || (!row.is_string() && !row.is_list())) {
        fail_here(
            fmt::format("a {} and a {} cannot be multiplied", left.type_name(), right.type_name()));
    }
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(factor.as_integer(), 0));
    const std::string* part = row.string_if();
    const std::size_t size = part ? part->size() : row.list_if()->items.size();
    std::size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) fail_here("the template writes too much");
    if (part == nullptr) {
        spend_steps(total);
        TemplateValue::List list;
        for (std::size_t i = 0; i < count && size > 0; ++i) {
            list.items.insert(list.items.end(), row.list_if()->items.begin(),
                              row.list_if()->items.end());
        }
        return list;
    }
    spend_bytes(total);
    std::string text;
    text.reserve(total);
    for (std::size_t i = 0; i < count && size > 0; ++i) text += *part;
    return text;
}

TemplateValue TemplateEvaluator::evaluate_binary(const TemplateExpression& node) {
    using Kind = TemplateExpression::Kind;
    const TemplateValue left = evaluate(node.children[0]);
    if (node.kind == Kind::kNegative || node.kind == Kind::kPositive) {
        if (!left.is_number()) fail_here("only a number has a sign");
        const bool negative = node.kind == Kind::kNegative;
        if (left.is_float()) return negative ? -left.as_float() : left.as_float();
        return multiply(left, negative ? -1 : 1);
    }
    const TemplateValue right = evaluate(node.children[1]);
    if (node.kind == Kind::kConcatenate) return text(to_text(left) + to_text(right));
    if (node.kind == Kind::kAdd) return add(left, right);
    if (node.kind == Kind::kMultiply) return multiply(left, right);
    if (!left.is_number() || !right.is_number()) {
        fail_here(fmt::format("a {} and a {} cannot be computed with", left.type_name(),
                              right.type_name()));
    }
    const bool is_float = left.is_float() || right.is_float();
    const double x = left.as_float();
    const double y = right.as_float();
    const std::int64_t a = left.as_integer();
    const std::int64_t b = right.as_integer();
    if (node.kind == Kind::kSubtract) {
        if (is_float) return x - y;
        std::int64_t difference = 0;
        if (__builtin_sub_overflow(a, b, &difference)) fail_here("a number is too large");
        return difference;
    }
    if (node.kind == Kind::kPower) {
        const double power = std::pow(x, y);
        constexpr double kExact = 9.0e15;
        if (is_float || b < 0) return power;
        if (std::abs(power) > kExact) fail_here("a number is too large");
        return static_cast<std::int64_t>(power);
    }
    if (y == 0) fail_here("division by zero");
    if (node.kind == Kind::kDivide) return x / y;
    if (is_float) {
        return node.kind == Kind::kFloorDivide ? std::floor(x / y) : x - y * std::floor(x / y);
    }
    if (b == -1) return node.kind == Kind::kFloorDivide ? multiply(left, -1) : TemplateValue(0);
    const std::int64_t remainder = a % b;
    const bool rounds_up = remainder != 0 && (remainder < 0) != (b < 0);  // C++ does, Python not
    if (node.kind == Kind::kFloorDivide) return a / b - (rounds_up ? 1 : 0);
    return remainder + (rounds_up ? b : 0);
}

}  // namespace heddle::text
