// JSON Schema (drafts 4 to 2020-12) into grammar nodes. Internal to compile_json_schema().
//
// Every keyword that says something about the text is either compiled or refused; annotations and
// unknown keywords say nothing, as the standard has it. References are queued, not followed in
// place, so that the depth of recursion here is the depth of the schema's own nesting.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "base/result.h"
#include "engine/grammar/grammar.h"

namespace heddle::engine::grammar {

class SchemaCompiler {
public:
    using Element = simdjson::dom::element;
    using Object = simdjson::dom::object;

    SchemaCompiler(Element root, const JsonSchemaOptions& options, const GrammarLimits& limits);
    [[nodiscard]] Result<Grammar> compile();

    // Any JSON value; also the node for `true`.
    [[nodiscard]] NodeId any_value();
    [[nodiscard]] NodeId any_object();
    [[nodiscard]] Grammar take() { return std::move(grammar_); }

private:
    // The JSON types, as bits.
    enum Type : unsigned {
        kNull = 1,
        kBoolean = 2,
        kObject = 4,
        kArray = 8,
        kNumber = 16,  // not integer-valued only
        kInteger = 32,
        kString = 64,
        kEveryType = 127,
    };

    // json_schema.cpp
    [[nodiscard]] Result<NodeId> schema(Element element, int depth);
    [[nodiscard]] Result<NodeId> schema_object(Object object, int depth);
    [[nodiscard]] Result<void> refuse_unsupported(Object object) const;
    [[nodiscard]] Result<NodeId> reference(std::string_view target);
    [[nodiscard]] Result<Element> resolve(std::string_view target) const;
    [[nodiscard]] Result<void> combinators(Object object, int depth, std::vector<NodeId>& parts);
    [[nodiscard]] Result<void> conditional(Object object, int depth, std::vector<NodeId>& parts);
    [[nodiscard]] Result<std::vector<NodeId>> schemas(Element list, const char* keyword, int depth);
    [[nodiscard]] Result<unsigned> types_of(Object object) const;
    [[nodiscard]] unsigned possible_types(Element element) const;
    [[nodiscard]] bool disjoint(Element list) const;

    // schema_values.cpp
    [[nodiscard]] Result<NodeId> typed(Object object, unsigned types, int depth);
    [[nodiscard]] Result<NodeId> string_value(Object object);
    [[nodiscard]] Result<NodeId> number_value(Object object, bool integer);
    [[nodiscard]] Result<NodeId> array_value(Object object, int depth);
    [[nodiscard]] Result<NodeId> listed(Element values, unsigned types);
    [[nodiscard]] Result<NodeId> constant(Element value, int depth);
    [[nodiscard]] NodeId text_literals(const std::vector<std::string>& values, NodeKind kind);
    [[nodiscard]] Result<void> multiple_of(Nfa& nfa, Element factor);

    // schema_object.cpp
    [[nodiscard]] Result<NodeId> object_value(Object object, int depth);
    [[nodiscard]] Result<void> declare_members(Object object, int depth, ObjectSpec& spec,
                                               std::vector<std::string>& names);
    [[nodiscard]] Result<void> member_patterns(Object object, int depth, ObjectSpec& spec,
                                               std::vector<std::string>& patterns);
    [[nodiscard]] Result<void> require_members(Object object, ObjectSpec& spec,
                                               std::vector<std::string>& names,
                                               const std::vector<std::string>& patterns);
    [[nodiscard]] Result<std::uint32_t> member_key(std::string_view name, ObjectSpec& spec,
                                                   std::vector<std::string>& names,
                                                   const std::vector<std::string>& patterns);
    [[nodiscard]] Result<std::vector<std::uint32_t>> matching(
        const std::string& name, const std::vector<std::string>& patterns);
    [[nodiscard]] Result<std::uint32_t> key_automaton(Object object, ObjectSpec& spec,
                                                      const std::vector<std::string>& names,
                                                      const std::vector<std::string>& patterns);
    [[nodiscard]] Result<void> name_rule(Element rule, Nfa& nfa, Nfa::Label label);
    [[nodiscard]] Result<void> dependent_schemas(Object object, int depth,
                                                 std::vector<NodeId>& parts);
    [[nodiscard]] NodeId has_member(std::string_view name);

    // Both.
    [[nodiscard]] NodeId add(Node node);
    [[nodiscard]] NodeId all_of(std::vector<NodeId> parts, std::vector<NodeId> negated = {});
    [[nodiscard]] NodeId choice(std::vector<NodeId> children);
    [[nodiscard]] std::uint32_t add_automaton(Nfa nfa);
    [[nodiscard]] Result<void> within_limits() const;
    [[nodiscard]] Result<std::uint32_t> bound(Object object, const char* keyword,
                                              std::uint32_t otherwise) const;
    [[nodiscard]] std::size_t states_left() const;

    const Element root_;
    const JsonSchemaOptions options_;
    const GrammarLimits limits_;
    const std::chrono::steady_clock::time_point deadline_;
    Grammar grammar_;
    std::size_t automaton_states_ = 0;
    bool siblings_of_ref_count_ = true;  // false in drafts 4 to 7
    std::optional<std::string> base_;    // the root's own $id
    std::map<std::string, NodeId, std::less<>> references_;
    std::vector<std::pair<std::string, NodeId>> queued_;
    std::optional<NodeId> any_value_;
    std::optional<std::uint32_t> any_text_;  // the automaton of any string
};

[[nodiscard]] Error invalid_schema(std::string message);
[[nodiscard]] Error unsupported_schema(std::string message);

}  // namespace heddle::engine::grammar
