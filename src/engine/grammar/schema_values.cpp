// Scalars, arrays and enumerations of JSON Schema.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "engine/grammar/grammar_checks.h"
#include "engine/grammar/number_pattern.h"
#include "engine/grammar/regex.h"
#include "engine/grammar/schema_compiler.h"
#include "engine/grammar/string_format.h"
#include "text/utf8.h"

namespace heddle::engine::grammar {
namespace {

constexpr std::string_view kIntegerPattern = "-?(0|[1-9][0-9]*)";
constexpr std::string_view kDecimalPattern = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?";
constexpr std::string_view kNumberPattern = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?";
constexpr std::int64_t kFactorMax = 10'000;

// A number as plain decimal digits, whatever form the schema has it in.
std::string plain_digits(simdjson::dom::element number) {
    std::int64_t whole = 0;
    if (number.get(whole) == simdjson::SUCCESS) return fmt::to_string(whole);
    std::uint64_t large = 0;
    if (number.get(large) == simdjson::SUCCESS) return fmt::to_string(large);
    double real = 0;
    if (number.get(real) != simdjson::SUCCESS) return "";
    std::array<char, 400> digits;
    const auto [end, ec] =
        std::to_chars(digits.data(), digits.data() + digits.size(), real, std::chars_format::fixed);
    return ec == std::errc() ? std::string(digits.data(), end) : "";
}

}  // namespace

NodeId SchemaCompiler::text_literals(const std::vector<std::string>& values, NodeKind kind) {
    Nfa nfa;
    for (const std::string& value : values) nfa.add_end(nfa.add_text(0, value), 0);
    return add({.kind = kind, .spec = add_automaton(std::move(nfa))});
}

NodeId SchemaCompiler::any_object() {
    (void)any_value();
    ObjectSpec spec;
    Nfa keys;
    keys.add_characters(0, 0, 0x10FFFF, 0);
    keys.add_end(0, 0);
    spec.keys = add_automaton(std::move(keys));
    spec.additional = any_value();
    grammar_.objects.push_back(std::move(spec));
    return add({.kind = NodeKind::kObject,
                .spec = static_cast<std::uint32_t>(grammar_.objects.size() - 1)});
}

NodeId SchemaCompiler::any_value() {
    if (any_value_) return *any_value_;
    any_value_ = add({.kind = NodeKind::kChoice});
    Nfa text;
    text.add_characters(0, 0, 0x10FFFF, 0);
    text.add_end(0, 0);
    any_text_ = add_automaton(std::move(text));
    Nfa number;
    // The pattern is ours and within every limit.
    (void)add_regex(number, 0, kNumberPattern, Match::kWhole, 0, 1000);
    grammar_.arrays.push_back({.items = *any_value_});
    const auto array = static_cast<std::uint32_t>(grammar_.arrays.size() - 1);
    std::vector<NodeId> children{
        text_literals({"null", "true", "false"}, NodeKind::kBytes),
        add({.kind = NodeKind::kBytes, .spec = add_automaton(std::move(number))}),
        add({.kind = NodeKind::kString, .spec = *any_text_}),
        add({.kind = NodeKind::kArray, .spec = array}), any_object()};
    grammar_.nodes[*any_value_].children = std::move(children);
    return *any_value_;
}

// What type and the keywords that belong to single types say.
Result<NodeId> SchemaCompiler::typed(Object object, unsigned types, int depth) {
    static constexpr std::array<std::string_view, 26> kTyped{"pattern",
                                                             "minLength",
                                                             "maxLength",
                                                             "format",
                                                             "minimum",
                                                             "maximum",
                                                             "exclusiveMinimum",
                                                             "exclusiveMaximum",
                                                             "multipleOf",
                                                             "items",
                                                             "prefixItems",
                                                             "additionalItems",
                                                             "minItems",
                                                             "maxItems",
                                                             "properties",
                                                             "patternProperties",
                                                             "additionalProperties",
                                                             "propertyNames",
                                                             "required",
                                                             "minProperties",
                                                             "maxProperties",
                                                             "dependentRequired",
                                                             "dependencies",
                                                             "type",
                                                             "uniqueItems",
                                                             "dependentSchemas"};
    bool says_something = false;
    for (const std::string_view keyword : kTyped) {
        says_something = says_something || object[keyword].error() == simdjson::SUCCESS;
    }
    if (!says_something) return any_value();
    std::vector<NodeId> children;
    std::vector<std::string> words;
    if ((types & kNull) != 0) words.emplace_back("null");
    if ((types & kBoolean) != 0) words.insert(words.end(), {"true", "false"});
    if (!words.empty()) children.push_back(text_literals(words, NodeKind::kBytes));
    const auto take = [&](Result<NodeId> node) -> Result<void> {
        if (!node) return fail(std::move(node).error());
        children.push_back(*node);
        return {};
    };
    if ((types & kString) != 0) HEDDLE_TRY_VOID(take(string_value(object)));
    if ((types & (kNumber | kInteger)) != 0) {
        HEDDLE_TRY_VOID(take(number_value(object, (types & kNumber) == 0)));
    }
    if ((types & kArray) != 0) HEDDLE_TRY_VOID(take(array_value(object, depth)));
    if ((types & kObject) != 0) HEDDLE_TRY_VOID(take(object_value(object, depth)));
    return choice(std::move(children));
}

Result<NodeId> SchemaCompiler::string_value(Object object) {
    (void)any_value();
    HEDDLE_TRY(const std::uint32_t least, bound(object, "minLength", 0));
    HEDDLE_TRY(const std::uint32_t most, bound(object, "maxLength", kUnbounded));
    if (least > most) return add({.kind = NodeKind::kNothing});
    Nfa nfa;
    Nfa::Label label = 0;
    Element value;
    std::string_view text;
    if (object["pattern"].get(value) == simdjson::SUCCESS) {
        if (value.get(text) != simdjson::SUCCESS) {
            return fail(invalid_schema("pattern must be a string"));
        }
        auto added = add_regex(nfa, 0, text, Match::kSearch, label++, states_left());
        if (!added) return fail(unsupported_schema(added.error().message()));
    }
    if (object["format"].get(text) == simdjson::SUCCESS) {
        const StringFormat format = string_format(text);
        if (format.kind == FormatKind::kUnsupported) {
            return fail(unsupported_schema(fmt::format("the format {} is not supported", text)));
        }
        if (format.kind == FormatKind::kPattern) {
            HEDDLE_TRY_VOID(
                add_regex(nfa, 0, format.pattern, Match::kWhole, label++, states_left()));
        }
    }
    const std::uint32_t automaton = label == 0 ? *any_text_ : add_automaton(std::move(nfa));
    return add({.kind = NodeKind::kString, .spec = automaton, .least = least, .most = most});
}

Result<NodeId> SchemaCompiler::number_value(Object object, bool integer) {
    struct Bound {
        const char* keyword;
        bool low;
        bool strict;
    };
    static constexpr std::array<Bound, 4> kBounds{{{"minimum", true, false},
                                                   {"maximum", false, false},
                                                   {"exclusiveMinimum", true, true},
                                                   {"exclusiveMaximum", false, true}}};
    std::vector<std::string> patterns;
    Element value;
    for (const Bound& limit : kBounds) {
        if (object[limit.keyword].get(value) != simdjson::SUCCESS) continue;
        bool flag = false;
        if (value.get(flag) == simdjson::SUCCESS) continue;  // draft 4: see below
        bool strict = limit.strict;
        // In draft 4 the exclusive keyword is a flag on the other one.
        const char* flag_name = limit.low ? "exclusiveMinimum" : "exclusiveMaximum";
        if (object[flag_name].get(flag) == simdjson::SUCCESS) strict = flag;
        const auto decimal = parse_decimal(plain_digits(value));
        if (!decimal) {
            return fail(unsupported_schema(
                fmt::format("{} must be a number of at most 40 digits", limit.keyword)));
        }
        patterns.push_back(limit.low ? at_least_pattern(*decimal, strict)
                                     : at_most_pattern(*decimal, strict));
    }
    const bool has_factor = object["multipleOf"].get(value) == simdjson::SUCCESS;
    std::string_view general = integer ? kIntegerPattern : kNumberPattern;
    // Bounds and factors are checked digit by digit, which an exponent would make impossible.
    if (!integer && (has_factor || !patterns.empty())) general = kDecimalPattern;
    Nfa nfa;
    HEDDLE_TRY_VOID(add_regex(nfa, 0, general, Match::kWhole, 0, states_left()));
    for (Nfa::Label label = 1; const std::string& pattern : patterns) {
        HEDDLE_TRY_VOID(add_regex(nfa, 0, pattern, Match::kWhole, label++, states_left()));
    }
    if (has_factor) HEDDLE_TRY_VOID(multiple_of(nfa, value));
    return add({.kind = NodeKind::kBytes, .spec = add_automaton(std::move(nfa))});
}

// Whole factors: the remainder is the state. Powers of ten below one: a number of digits.
Result<void> SchemaCompiler::multiple_of(Nfa& nfa, Element value) {
    const auto factor = parse_decimal(plain_digits(value));
    const Nfa::Label label = nfa.labels();
    if (factor && !factor->negative && factor->integer == "0" &&
        factor->fraction == std::string(factor->fraction.size() - 1, '0') + "1") {
        return add_regex(nfa, 0,
                         fmt::format("-?[0-9]+(\\.[0-9]{{1,{}}}0*)?", factor->fraction.size()),
                         Match::kWhole, label, states_left());
    }
    std::int64_t whole = 0;
    if (!factor || !factor->fraction.empty() || factor->negative ||
        std::from_chars(factor->integer.data(), factor->integer.data() + factor->integer.size(),
                        whole)
                .ec != std::errc() ||
        whole < 1 || whole > kFactorMax) {
        return fail(unsupported_schema(
            "multipleOf must be a whole number up to 10000 or a power of ten below 1"));
    }
    std::vector<Nfa::State> remainders;
    for (std::int64_t i = 0; i < whole; ++i) remainders.push_back(nfa.add_state());
    const Nfa::State sign = nfa.add_state();
    nfa.add_empty(0, sign);
    nfa.add_bytes(0, '-', '-', sign);
    for (std::int64_t from = -1; from < whole; ++from) {
        const Nfa::State state = from < 0 ? sign : remainders[static_cast<std::size_t>(from)];
        for (std::int64_t digit = 0; digit < 10; ++digit) {
            const auto byte = static_cast<std::uint8_t>('0' + digit);
            const std::int64_t to = (std::max<std::int64_t>(from, 0) * 10 + digit) % whole;
            nfa.add_bytes(state, byte, byte, remainders[static_cast<std::size_t>(to)]);
        }
    }
    nfa.add_end(remainders[0], label);
    const Nfa::State point = nfa.add_state();
    const Nfa::State zeros = nfa.add_state();
    nfa.add_bytes(remainders[0], '.', '.', point);
    nfa.add_bytes(point, '0', '0', zeros);
    nfa.add_bytes(zeros, '0', '0', zeros);
    nfa.add_end(zeros, label);
    return {};
}

Result<NodeId> SchemaCompiler::array_value(Object object, int depth) {
    ArraySpec spec;
    HEDDLE_TRY(spec.least, bound(object, "minItems", 0));
    HEDDLE_TRY(spec.most, bound(object, "maxItems", kUnbounded));
    spec.items = any_value();
    Element items;
    Element prefix;
    // Draft 2020-12 has prefixItems and items; before, items was a list, then additionalItems.
    bool has_prefix = object["prefixItems"].get(prefix) == simdjson::SUCCESS;
    bool has_items = object["items"].get(items) == simdjson::SUCCESS;
    if (!has_prefix && has_items && items.is_array()) {
        prefix = items;
        has_prefix = true;
        has_items = object["additionalItems"].get(items) == simdjson::SUCCESS;
    }
    if (has_prefix && prefix.is_array() && simdjson::dom::array(prefix).size() > 0) {
        HEDDLE_TRY(spec.prefix, schemas(prefix, "prefixItems", depth));
    }
    if (has_items) {
        HEDDLE_TRY(spec.items, schema(items, depth + 1));
    }
    if (grammar_.nodes[spec.items].kind == NodeKind::kNothing) spec.items = kNoNode;
    const bool too_short = spec.items == kNoNode && spec.least > spec.prefix.size();
    if (spec.least > spec.most || too_short) return add({.kind = NodeKind::kNothing});
    grammar_.arrays.push_back(std::move(spec));
    return add(
        {.kind = NodeKind::kArray, .spec = static_cast<std::uint32_t>(grammar_.arrays.size() - 1)});
}

// The values of an enumeration, as far as they have one of `types`.
Result<NodeId> SchemaCompiler::listed(Element values, unsigned types) {
    simdjson::dom::array array;
    if (values.get(array) != simdjson::SUCCESS) {
        return fail(invalid_schema("enum must be a list"));
    }
    std::vector<std::string> texts;
    std::vector<NodeId> children;
    for (const Element value : array) {
        std::string_view text;
        if (value.get(text) == simdjson::SUCCESS) {
            if ((types & kString) != 0) texts.emplace_back(text);
            continue;
        }
        HEDDLE_TRY(const NodeId node, constant(value, 0));
        children.push_back(node);
        HEDDLE_TRY_VOID(within_limits());
    }
    if (!texts.empty()) children.push_back(text_literals(texts, NodeKind::kString));
    if (children.empty()) return add({.kind = NodeKind::kNothing});
    return choice(std::move(children));
}

Result<NodeId> SchemaCompiler::constant(Element value, int depth) {
    if (depth > limits_.depth_max) return fail(grammar_too_complex("nesting of constants"));
    HEDDLE_TRY_VOID(within_limits());
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
        return text_literals({std::string(text)}, NodeKind::kString);
    }
    bool flag = false;
    if (value.get(flag) == simdjson::SUCCESS) {
        return text_literals({flag ? "true" : "false"}, NodeKind::kBytes);
    }
    if (value.is_null()) return text_literals({"null"}, NodeKind::kBytes);
    if (value.is_number()) {
        const std::string digits = plain_digits(value);
        const bool whole = digits.find('.') == std::string::npos;
        return text_literals(whole ? std::vector{digits, digits + ".0"} : std::vector{digits},
                             NodeKind::kBytes);
    }
    simdjson::dom::array items;
    if (value.get(items) == simdjson::SUCCESS) {
        ArraySpec spec;
        for (const Element item : items) {
            HEDDLE_TRY(const NodeId node, constant(item, depth + 1));
            spec.prefix.push_back(node);
        }
        spec.least = spec.most = static_cast<std::uint32_t>(spec.prefix.size());
        grammar_.arrays.push_back(std::move(spec));
        return add({.kind = NodeKind::kArray,
                    .spec = static_cast<std::uint32_t>(grammar_.arrays.size() - 1)});
    }
    ObjectSpec spec;
    Nfa keys;
    for (const auto [key, member] : Object(value)) {
        HEDDLE_TRY(const NodeId node, constant(member, depth + 1));
        const auto label = static_cast<Nfa::Label>(spec.declared.size());
        keys.add_end(keys.add_text(0, key), label);
        spec.declared.push_back(node);
        spec.required.push_back(label);
    }
    spec.keys = add_automaton(std::move(keys));
    grammar_.objects.push_back(std::move(spec));
    return add({.kind = NodeKind::kObject,
                .spec = static_cast<std::uint32_t>(grammar_.objects.size() - 1)});
}

}  // namespace heddle::engine::grammar
