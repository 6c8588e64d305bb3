// Objects of JSON Schema: members by name, by pattern and the rest.
#include <fmt/format.h>

#include <algorithm>

#include "engine/grammar/lazy_dfa.h"
#include "engine/grammar/regex.h"
#include "engine/grammar/schema_compiler.h"

namespace heddle::engine::grammar {
namespace {

constexpr std::size_t kMembersMax = 4096;

Result<simdjson::dom::object> object_of(simdjson::dom::element value, const char* keyword) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
        return fail(invalid_schema(fmt::format("{} must be an object", keyword)));
    }
    return object;
}

}  // namespace

Result<NodeId> SchemaCompiler::object_value(Object object, int depth) {
    ObjectSpec spec;
    spec.ordered = options_.ordered_properties;
    HEDDLE_TRY(spec.least, bound(object, "minProperties", 0));
    HEDDLE_TRY(spec.most, bound(object, "maxProperties", kUnbounded));
    Element value;
    spec.additional = any_value();
    if (object["additionalProperties"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(const NodeId node, schema(value, depth + 1));
        const bool none = grammar_.nodes[node].kind == NodeKind::kNothing;
        spec.additional = none ? kNoNode : node;
    }
    std::vector<std::string> names;
    std::vector<std::string> patterns;
    HEDDLE_TRY_VOID(member_patterns(object, depth, spec, patterns));
    HEDDLE_TRY_VOID(declare_members(object, depth, spec, names));
    for (std::size_t i = 0; i < names.size(); ++i) {
        HEDDLE_TRY(const auto also, matching(names[i], patterns));
        std::vector<NodeId> parts;
        for (const std::uint32_t pattern : also) parts.push_back(spec.patterns[pattern]);
        if (parts.empty() || spec.declared[i] == kNoNode) continue;
        parts.insert(parts.begin(), spec.declared[i]);
        spec.declared[i] = all_of(std::move(parts));
    }
    HEDDLE_TRY_VOID(require_members(object, spec, names, patterns));
    for (const std::uint32_t key : spec.required) {
        if (spec.declared[key] == kNoNode) return add({.kind = NodeKind::kNothing});
    }
    if (spec.least > spec.most) return add({.kind = NodeKind::kNothing});
    HEDDLE_TRY(spec.keys, key_automaton(object, spec, names, patterns));
    grammar_.objects.push_back(std::move(spec));
    return add({.kind = NodeKind::kObject,
                .spec = static_cast<std::uint32_t>(grammar_.objects.size() - 1)});
}

Result<void> SchemaCompiler::declare_members(Object object, int depth, ObjectSpec& spec,
                                             std::vector<std::string>& names) {
    Element value;
    if (object["properties"].get(value) != simdjson::SUCCESS) return {};
    HEDDLE_TRY(const Object members, object_of(value, "properties"));
    for (const auto [name, member] : members) {
        // Of a key that is declared twice the first stands, as in other readers of ours.
        if (std::ranges::find(names, name) != names.end()) continue;
        HEDDLE_TRY(const NodeId node, schema(member, depth + 1));
        names.emplace_back(name);
        const bool never = grammar_.nodes[node].kind == NodeKind::kNothing;
        spec.declared.push_back(never ? kNoNode : node);
    }
    return {};
}

Result<void> SchemaCompiler::member_patterns(Object object, int depth, ObjectSpec& spec,
                                             std::vector<std::string>& patterns) {
    Element value;
    if (object["patternProperties"].get(value) != simdjson::SUCCESS) return {};
    HEDDLE_TRY(const Object members, object_of(value, "patternProperties"));
    for (const auto [pattern, member] : members) {
        HEDDLE_TRY(const NodeId node, schema(member, depth + 1));
        if (grammar_.nodes[node].kind == NodeKind::kNothing) {
            return fail(unsupported_schema("patternProperties with a schema of false"));
        }
        patterns.emplace_back(pattern);
        spec.patterns.push_back(node);
    }
    return {};
}

// The patterns that `name` matches.
Result<std::vector<std::uint32_t>> SchemaCompiler::matching(
    const std::string& name, const std::vector<std::string>& patterns) {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < patterns.size(); ++i) {
        Nfa nfa;
        const auto added = add_regex(nfa, 0, patterns[i], Match::kSearch, 0, states_left());
        if (!added) return fail(unsupported_schema(added.error().message()));
        nfa.finish();
        LazyDfa dfa(nfa, name.size() + 2);
        LazyDfa::State state = dfa.start();
        for (const char c : name) state = dfa.next(state, static_cast<std::uint8_t>(c));
        if (dfa.ends_all(state)) found.push_back(i);
    }
    return found;
}

// The number of a key that another keyword names; declares it when `properties` did not.
Result<std::uint32_t> SchemaCompiler::member_key(std::string_view name, ObjectSpec& spec,
                                                 std::vector<std::string>& names,
                                                 const std::vector<std::string>& patterns) {
    const auto known = std::ranges::find(names, name);
    if (known != names.end()) return static_cast<std::uint32_t>(known - names.begin());
    HEDDLE_TRY(const auto also, matching(std::string(name), patterns));
    NodeId node = spec.additional;
    if (!also.empty()) {
        std::vector<NodeId> parts;
        for (const std::uint32_t pattern : also) parts.push_back(spec.patterns[pattern]);
        node = all_of(std::move(parts));
    }
    names.emplace_back(name);
    spec.declared.push_back(node);
    if (names.size() > kMembersMax) return fail(invalid_schema("too many members"));
    return static_cast<std::uint32_t>(names.size() - 1);
}

Result<void> SchemaCompiler::require_members(Object object, ObjectSpec& spec,
                                             std::vector<std::string>& names,
                                             const std::vector<std::string>& patterns) {
    const auto keys_of = [&](Element list,
                             const char* keyword) -> Result<std::vector<std::uint32_t>> {
        std::vector<std::uint32_t> keys;
        simdjson::dom::array array;
        if (list.get(array) != simdjson::SUCCESS) {
            return fail(invalid_schema(fmt::format("{} must be a list of names", keyword)));
        }
        for (const Element element : array) {
            std::string_view name;
            if (element.get(name) != simdjson::SUCCESS) {
                return fail(invalid_schema(fmt::format("{} must be a list of names", keyword)));
            }
            HEDDLE_TRY(const std::uint32_t key, member_key(name, spec, names, patterns));
            keys.push_back(key);
        }
        return keys;
    };
    Element value;
    // Draft 3 had a flag in the member's own schema instead of the list.
    if (object["required"].get(value) == simdjson::SUCCESS && !value.is_bool()) {
        HEDDLE_TRY(spec.required, keys_of(value, "required"));
    }
    for (const char* keyword : {"dependentRequired", "dependencies"}) {
        if (object[keyword].get(value) != simdjson::SUCCESS) continue;
        HEDDLE_TRY(const Object members, object_of(value, keyword));
        for (const auto [name, list] : members) {
            if (!list.is_array()) continue;  // a schema: dependent_schemas()
            HEDDLE_TRY(const std::uint32_t key, member_key(name, spec, names, patterns));
            HEDDLE_TRY(auto others, keys_of(list, keyword));
            spec.dependent.emplace_back(key, std::move(others));
        }
    }
    return {};
}

Result<std::uint32_t> SchemaCompiler::key_automaton(Object object, ObjectSpec& spec,
                                                    const std::vector<std::string>& names,
                                                    const std::vector<std::string>& patterns) {
    Nfa nfa;
    Nfa::Label label = 0;
    for (const std::string& name : names) nfa.add_end(nfa.add_text(0, name), label++);
    for (const std::string& pattern : patterns) {
        const auto added = add_regex(nfa, 0, pattern, Match::kSearch, label++, states_left());
        if (!added) return fail(unsupported_schema(added.error().message()));
    }
    if (spec.additional != kNoNode) {
        const Nfa::State any = nfa.add_state();
        nfa.add_empty(0, any);
        nfa.add_characters(any, 0, 0x10FFFF, any);
        nfa.add_end(any, label);
    }
    Element rule;
    if (object["propertyNames"].get(rule) == simdjson::SUCCESS) {
        spec.has_name_rule = true;
        HEDDLE_TRY_VOID(name_rule(rule, nfa, label + 1));
    }
    return add_automaton(std::move(nfa));
}

// propertyNames, as far as it is one rule about the text of the name.
Result<void> SchemaCompiler::name_rule(Element rule, Nfa& nfa, Nfa::Label label) {
    Object object;
    if (rule.get(object) != simdjson::SUCCESS) {
        return fail(unsupported_schema("propertyNames must be an object here"));
    }
    int rules = 0;
    for (const auto [keyword, value] : object) {
        std::string_view text;
        simdjson::dom::array list;
        if (keyword == "pattern" && value.get(text) == simdjson::SUCCESS) {
            const auto added = add_regex(nfa, 0, text, Match::kSearch, label, states_left());
            if (!added) return fail(unsupported_schema(added.error().message()));
        } else if (keyword == "enum" && value.get(list) == simdjson::SUCCESS) {
            for (const Element element : list) {
                if (element.get(text) != simdjson::SUCCESS) continue;
                nfa.add_end(nfa.add_text(0, text), label);
            }
        } else if (keyword == "minLength" || keyword == "maxLength") {
            HEDDLE_TRY(const std::uint32_t least, bound(object, "minLength", 0));
            HEDDLE_TRY(const std::uint32_t most, bound(object, "maxLength", kUnbounded));
            const std::string pattern = most == kUnbounded
                                            ? fmt::format("[^]{{{},}}", least)
                                            : fmt::format("[^]{{{},{}}}", least, most);
            if (keyword == "maxLength" && least > 0) continue;
            HEDDLE_TRY_VOID(add_regex(nfa, 0, pattern, Match::kWhole, label, states_left()));
        } else if (keyword == "type" || keyword == "description" || keyword == "title" ||
                   keyword == "examples" || keyword == "$comment") {
            continue;
        } else {
            return fail(
                unsupported_schema(fmt::format("propertyNames with {} is not supported", keyword)));
        }
        ++rules;
    }
    if (rules > 1) return fail(unsupported_schema("propertyNames with several rules"));
    if (rules == 0) {
        const Nfa::State any = nfa.add_state();
        nfa.add_empty(0, any);
        nfa.add_characters(any, 0, 0x10FFFF, any);
        nfa.add_end(any, label);
    }
    return {};
}

// An object with at least this member.
NodeId SchemaCompiler::has_member(std::string_view name) {
    ObjectSpec spec;
    spec.declared = {any_value()};
    spec.required = {0};
    spec.additional = any_value();
    Nfa nfa;
    nfa.add_end(nfa.add_text(0, name), 0);
    const Nfa::State any = nfa.add_state();
    nfa.add_empty(0, any);
    nfa.add_characters(any, 0, 0x10FFFF, any);
    nfa.add_end(any, 1);
    spec.keys = add_automaton(std::move(nfa));
    grammar_.objects.push_back(std::move(spec));
    return add({.kind = NodeKind::kObject,
                .spec = static_cast<std::uint32_t>(grammar_.objects.size() - 1)});
}

// A member that has come binds the whole object to a schema: it has not come, or that holds.
Result<void> SchemaCompiler::dependent_schemas(Object object, int depth,
                                               std::vector<NodeId>& parts) {
    Element value;
    for (const char* keyword : {"dependentSchemas", "dependencies"}) {
        if (object[keyword].get(value) != simdjson::SUCCESS) continue;
        HEDDLE_TRY(const Object members, object_of(value, keyword));
        for (const auto [name, rule] : members) {
            if (rule.is_array()) continue;
            HEDDLE_TRY(const NodeId node, schema(rule, depth + 1));
            parts.push_back(choice({all_of({}, {has_member(name)}), node}));
        }
    }
    return {};
}

}  // namespace heddle::engine::grammar
