#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/grammar/grammar_checks.h"
#include "engine/grammar/schema_compiler.h"

namespace heddle::engine::grammar {
namespace {

using simdjson::dom::element_type;

// Keywords that constrain the text in ways that are not compiled here.
constexpr std::array<std::string_view, 10> kUnsupported{
    "contains",         "minContains", "maxContains",   "unevaluatedProperties",
    "unevaluatedItems", "$dynamicRef", "$recursiveRef", "extends",
    "disallow",         "divisibleBy"};

std::string decode_fragment(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const bool escaped =
            text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
                text.data() + i + 3;
        plain += escaped ? static_cast<char>(value) : text[i];
        if (escaped) i += 2;
    }
    return plain;
}

// One step of a JSON pointer (RFC 6901).
std::string unescape_pointer(std::string_view token) {
    std::string plain;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            plain += token[++i] == '1' ? '/' : '~';
        } else {
            plain += token[i];
        }
    }
    return plain;
}

}  // namespace

Error invalid_schema(std::string message) {
    return Error(ErrorCode::kInvalidArgument, std::move(message)).with_reason("invalid_schema");
}

Error unsupported_schema(std::string message) {
    return Error(ErrorCode::kInvalidArgument, std::move(message)).with_reason("unsupported_schema");
}

SchemaCompiler::SchemaCompiler(Element root, const JsonSchemaOptions& options,
                               const GrammarLimits& limits)
    : root_(root),
      options_(options),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.compile_time_max) {
    grammar_.limits = limits;
    grammar_.is_json = true;
}

Result<Grammar> SchemaCompiler::compile() {
    if (root_.is_object()) {
        const Object object = root_;
        std::string_view dialect;
        if (object["$schema"].get(dialect) == simdjson::SUCCESS) {
            for (const std::string_view old : {"draft-03", "draft-04", "draft-06", "draft-07"}) {
                if (dialect.find(old) != std::string_view::npos) siblings_of_ref_count_ = false;
            }
        }
        std::string_view id;
        if (object["$id"].get(id) == simdjson::SUCCESS ||
            object["id"].get(id) == simdjson::SUCCESS) {
            base_ = id.substr(0, id.find('#'));
        }
    }
    HEDDLE_TRY(const NodeId root, schema(root_, 0));
    while (!queued_.empty()) {
        const auto [target, alias] = std::move(queued_.back());
        queued_.pop_back();
        HEDDLE_TRY(const Element element, resolve(target));
        HEDDLE_TRY(const NodeId node, schema(element, 0));
        grammar_.nodes[alias].children = {node};
    }
    grammar_.root = root;
    HEDDLE_TRY_VOID(check_recursion(grammar_, "invalid_schema"));
    return std::move(grammar_);
}

Result<void> SchemaCompiler::within_limits() const {
    if (grammar_.nodes.size() > limits_.nodes_max) return fail(grammar_too_complex("nodes"));
    if (automaton_states_ > limits_.automaton_states_max) {
        return fail(grammar_too_complex("automaton states"));
    }
    if (std::chrono::steady_clock::now() > deadline_) return fail(grammar_too_complex("time"));
    return {};
}

Result<NodeId> SchemaCompiler::schema(Element element, int depth) {
    HEDDLE_TRY_VOID(within_limits());
    if (depth > limits_.depth_max) return fail(grammar_too_complex("nesting of schemas"));
    bool flag = false;
    if (element.get(flag) == simdjson::SUCCESS) {
        return flag ? any_value() : add({.kind = NodeKind::kNothing});
    }
    Object object;
    if (element.get(object) != simdjson::SUCCESS) {
        return fail(invalid_schema("a schema must be an object or a boolean"));
    }
    return schema_object(object, depth);
}

Result<void> SchemaCompiler::refuse_unsupported(Object object) const {
    for (const std::string_view keyword : kUnsupported) {
        Element value;
        if (object[keyword].get(value) != simdjson::SUCCESS) continue;
        return fail(unsupported_schema(fmt::format("the keyword {} is not supported", keyword)));
    }
    bool unique = false;
    if (object["uniqueItems"].get(unique) == simdjson::SUCCESS && unique) {
        std::int64_t most = 2;
        const bool bounded = object["maxItems"].get(most) == simdjson::SUCCESS && most <= 1;
        if (!bounded) return fail(unsupported_schema("the keyword uniqueItems is not supported"));
    }
    return {};
}

// All that the keywords of one schema say must hold at once.
Result<NodeId> SchemaCompiler::schema_object(Object object, int depth) {
    std::vector<NodeId> parts;
    std::string_view target;
    Element value;
    if (object["$ref"].get(value) == simdjson::SUCCESS) {
        if (value.get(target) != simdjson::SUCCESS) {
            return fail(invalid_schema("$ref must be a string"));
        }
        HEDDLE_TRY(const NodeId node, reference(target));
        if (!siblings_of_ref_count_) return node;
        parts.push_back(node);
    }
    HEDDLE_TRY_VOID(refuse_unsupported(object));
    HEDDLE_TRY(const unsigned types, types_of(object));
    if (object["enum"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(const NodeId node, listed(value, types));
        parts.push_back(node);
    }
    if (object["const"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(const NodeId node, constant(value, depth));
        parts.push_back(node);
    }
    HEDDLE_TRY_VOID(combinators(object, depth, parts));
    HEDDLE_TRY_VOID(dependent_schemas(object, depth, parts));
    HEDDLE_TRY(const NodeId own, typed(object, types, depth));
    // What says nothing need not be followed beside what does.
    if (parts.empty() || own != any_value()) parts.insert(parts.begin(), own);

    std::vector<NodeId> negated;
    if (object["not"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(const NodeId node, schema(value, depth + 1));
        negated.push_back(node);
    }
    return all_of(std::move(parts), std::move(negated));
}

Result<std::vector<NodeId>> SchemaCompiler::schemas(Element list, const char* keyword, int depth) {
    simdjson::dom::array array;
    if (list.get(array) != simdjson::SUCCESS || array.size() == 0) {
        return fail(invalid_schema(fmt::format("{} must be a list of schemas", keyword)));
    }
    std::vector<NodeId> nodes;
    for (const Element element : array) {
        HEDDLE_TRY(const NodeId node, schema(element, depth + 1));
        nodes.push_back(node);
    }
    return nodes;
}

Result<void> SchemaCompiler::combinators(Object object, int depth, std::vector<NodeId>& parts) {
    Element value;
    if (object["allOf"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(const auto nodes, schemas(value, "allOf", depth));
        parts.insert(parts.end(), nodes.begin(), nodes.end());
    }
    if (object["anyOf"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(auto nodes, schemas(value, "anyOf", depth));
        parts.push_back(choice(std::move(nodes)));
    }
    if (object["oneOf"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(auto nodes, schemas(value, "oneOf", depth));
        if (nodes.size() == 1 || disjoint(value)) {
            parts.push_back(choice(std::move(nodes)));
        } else {
            parts.push_back(add({.kind = NodeKind::kExactlyOne, .children = std::move(nodes)}));
        }
    }
    return conditional(object, depth, parts);
}

Result<void> SchemaCompiler::conditional(Object object, int depth, std::vector<NodeId>& parts) {
    Element value;
    if (object["if"].get(value) != simdjson::SUCCESS) return {};
    HEDDLE_TRY(const NodeId condition, schema(value, depth + 1));
    NodeId then = any_value();
    NodeId otherwise = any_value();
    if (object["then"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(then, schema(value, depth + 1));
    }
    if (object["else"].get(value) == simdjson::SUCCESS) {
        HEDDLE_TRY(otherwise, schema(value, depth + 1));
    }
    parts.push_back(choice({all_of({condition, then}), all_of({otherwise}, {condition})}));
    return {};
}

Result<NodeId> SchemaCompiler::reference(std::string_view target) {
    if (const auto known = references_.find(target); known != references_.end()) {
        return known->second;
    }
    const NodeId alias = add({.kind = NodeKind::kAlias});
    references_.emplace(target, alias);
    queued_.emplace_back(target, alias);
    return alias;
}

Result<SchemaCompiler::Element> SchemaCompiler::resolve(std::string_view target) const {
    const std::size_t hash = target.find('#');
    const std::string_view document = target.substr(0, hash);
    if (!document.empty() && document != base_) {
        return fail(unsupported_schema("a $ref to another document is not supported"));
    }
    const std::string pointer =
        hash == std::string_view::npos ? "" : decode_fragment(target.substr(hash + 1));
    if (!pointer.empty() && pointer[0] != '/') {
        return fail(unsupported_schema("a $ref to an anchor is not supported"));
    }
    const Error missing = invalid_schema(fmt::format("$ref {} leads nowhere", target));
    Element at = root_;
    for (std::size_t begin = 0; begin < pointer.size();) {
        const std::size_t end = std::min(pointer.find('/', begin + 1), pointer.size());
        const std::string token =
            unescape_pointer(std::string_view(pointer).substr(begin + 1, end - begin - 1));
        begin = end;
        simdjson::dom::array list;
        if (at.get(list) == simdjson::SUCCESS) {
            std::size_t index = 0;
            const auto [last, ec] =
                std::from_chars(token.data(), token.data() + token.size(), index);
            if (ec != std::errc() || last != token.data() + token.size() ||
                list.at(index).get(at) != simdjson::SUCCESS) {
                return fail(missing);
            }
            continue;
        }
        Object object;
        if (at.get(object) != simdjson::SUCCESS ||
            object.at_key(token).get(at) != simdjson::SUCCESS) {
            return fail(missing);
        }
    }
    return at;
}

Result<unsigned> SchemaCompiler::types_of(Object object) const {
    const auto bit = [](std::string_view name) -> unsigned {
        if (name == "null") return kNull;
        if (name == "boolean") return kBoolean;
        if (name == "object") return kObject;
        if (name == "array") return kArray;
        if (name == "number") return kNumber | kInteger;
        if (name == "integer") return kInteger;
        if (name == "string") return kString;
        return 0;
    };
    Element value;
    if (object["type"].get(value) != simdjson::SUCCESS) return kEveryType;
    std::string_view name;
    simdjson::dom::array names;
    unsigned types = 0;
    if (value.get(name) == simdjson::SUCCESS) {
        types = bit(name);
    } else if (value.get(names) == simdjson::SUCCESS) {
        for (const Element element : names) {
            const bool known = element.get(name) == simdjson::SUCCESS && bit(name) != 0;
            if (!known) return fail(invalid_schema("type names an unknown type"));
            types |= bit(name);
        }
    }
    if (types == 0) return fail(invalid_schema("type names an unknown type"));
    return types;
}

// The types that a schema may allow, looking no further than its own keywords.
unsigned SchemaCompiler::possible_types(Element element) const {
    Object object;
    if (element.get(object) != simdjson::SUCCESS) return kEveryType;
    const auto types = types_of(object);
    return types ? *types : static_cast<unsigned>(kEveryType);
}

bool SchemaCompiler::disjoint(Element list) const {
    unsigned seen = 0;
    for (const Element element : simdjson::dom::array(list)) {
        const unsigned types = possible_types(element);
        if ((seen & types) != 0) return false;
        seen |= types;
    }
    return true;
}

NodeId SchemaCompiler::add(Node node) {
    grammar_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(grammar_.nodes.size() - 1);
}

NodeId SchemaCompiler::all_of(std::vector<NodeId> parts, std::vector<NodeId> negated) {
    // What is negated needs a JSON value beside it to keep to.
    if (parts.empty()) parts.push_back(any_value());
    if (parts.size() == 1 && negated.empty()) return parts[0];
    const auto count = static_cast<std::uint32_t>(negated.size());
    parts.insert(parts.end(), negated.begin(), negated.end());
    return add({.kind = NodeKind::kAll, .negated = count, .children = std::move(parts)});
}

NodeId SchemaCompiler::choice(std::vector<NodeId> children) {
    if (children.size() == 1) return children[0];
    return add({.kind = NodeKind::kChoice, .children = std::move(children)});
}

std::uint32_t SchemaCompiler::add_automaton(Nfa nfa) {
    nfa.finish();
    automaton_states_ += nfa.size();
    grammar_.automata.push_back(std::move(nfa));
    return static_cast<std::uint32_t>(grammar_.automata.size() - 1);
}

std::size_t SchemaCompiler::states_left() const {
    return limits_.automaton_states_max - std::min(automaton_states_, limits_.automaton_states_max);
}

Result<std::uint32_t> SchemaCompiler::bound(Object object, const char* keyword,
                                            std::uint32_t otherwise) const {
    Element value;
    if (object[keyword].get(value) != simdjson::SUCCESS) return otherwise;
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS || !(number >= 0) ||
        number != static_cast<double>(static_cast<std::uint64_t>(std::min(number, 1e18)))) {
        return fail(invalid_schema(fmt::format("{} must be a whole number", keyword)));
    }
    return static_cast<std::uint32_t>(std::min(number, 4e9));
}

Result<Grammar> compile_json_schema(const std::string& text, const JsonSchemaOptions& options,
                                    const GrammarLimits& limits) {
    if (text.size() > limits.source_bytes_max) return fail(grammar_too_complex("length"));
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.allocate(text.size(), 64) != simdjson::SUCCESS ||
        parser.parse(text).get(root) != simdjson::SUCCESS) {
        return fail(invalid_schema("the schema is not valid JSON or nests too deeply"));
    }
    return SchemaCompiler(root, options, limits).compile();
}

Grammar any_json_object() {
    simdjson::dom::parser parser;
    SchemaCompiler compiler(parser.parse(std::string_view("true")), {}, {});
    const NodeId root = compiler.any_object();
    Grammar grammar = compiler.take();
    grammar.root = root;
    return grammar;
}

}  // namespace heddle::engine::grammar
