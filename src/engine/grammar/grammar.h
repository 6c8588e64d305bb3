// A compiled constraint: what text may be generated, as a graph of nodes. Made from a JSON
// schema, a regular expression, a GBNF grammar or a list of choices; run by Machine. Immutable;
// any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/nfa.h"

namespace heddle::engine::grammar {

// What one constraint may cost. Anything beyond is refused, never cut short.
struct GrammarLimits {
    std::size_t source_bytes_max = 256 * 1024;
    int depth_max = 16;  // of nested schemas or groups
    std::size_t nodes_max = 8192;
    std::size_t automaton_states_max = 100'000;  // of all automata together
    std::chrono::milliseconds compile_time_max{500};
    std::size_t machine_states_max = 200'000;  // made while matching
};

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = std::numeric_limits<NodeId>::max();
inline constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();

enum class NodeKind : std::uint8_t {
    kNothing,   // matches no text
    kAlias,     // its only child
    kBytes,     // the texts that an automaton accepts for all its labels
    kString,    // a JSON string whose value an automaton accepts, with a length
    kObject,    // a JSON object
    kArray,     // a JSON array
    kChoice,    // any of its children
    kSequence,  // its children, one after the other
    kRepeat,    // its only child, `least` to `most` times
    kAll,       // all of its children at once, and none of the negated ones
    kExactlyOne,
};

struct Node {
    NodeKind kind = NodeKind::kNothing;
    std::uint32_t spec = 0;  // index into automata, objects or arrays
    std::uint32_t least = 0;
    std::uint32_t most = kUnbounded;
    std::uint32_t negated = 0;  // kAll: the last so many children must not match
    std::vector<NodeId> children;
};

// Members may come in any order unless `ordered`; a declared key comes at most once. The labels
// of the key automaton are the declared keys, then the patterns, then "any key", then the rule
// for all names where there is one.
struct ObjectSpec {
    std::uint32_t keys = 0;        // the automaton of keys
    std::vector<NodeId> declared;  // kNoNode: a key that must not come
    std::vector<NodeId> patterns;  // nodes by pattern
    NodeId additional = kNoNode;   // for keys that are neither; kNoNode: there are none
    bool has_name_rule = false;
    std::vector<std::uint32_t> required;  // declared keys
    // If the first has come, the others must.
    std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>> dependent;
    std::uint32_t least = 0;
    std::uint32_t most = kUnbounded;
    bool ordered = false;

    [[nodiscard]] Nfa::Label any_label() const {
        return static_cast<Nfa::Label>(declared.size() + patterns.size());
    }
};

struct ArraySpec {
    std::vector<NodeId> prefix;
    NodeId items = kNoNode;  // behind the prefix; kNoNode: nothing
    std::uint32_t least = 0;
    std::uint32_t most = kUnbounded;
};

class Grammar {
public:
    std::vector<Node> nodes;
    std::vector<Nfa> automata;  // finished
    std::vector<ObjectSpec> objects;
    std::vector<ArraySpec> arrays;
    NodeId root = 0;
    GrammarLimits limits;
    // White space may stand between the tokens of the text (JSON): Matcher bounds its runs.
    bool is_json = false;
};

struct JsonSchemaOptions {
    bool ordered_properties = false;  // members only in the order in which they are declared
};

// Errors are kInvalidArgument with reason "invalid_schema", "unsupported_schema" or
// "grammar_too_complex", and fit for the client. Nothing unsupported is ever ignored.
[[nodiscard]] Result<Grammar> compile_json_schema(const std::string& schema,
                                                  const JsonSchemaOptions& options = {},
                                                  const GrammarLimits& limits = {});
// Any JSON value, or any JSON object (OpenAI's response_format json_object).
[[nodiscard]] Grammar any_json_object();
[[nodiscard]] Result<Grammar> compile_regex(std::string_view pattern,
                                            const GrammarLimits& limits = {});
[[nodiscard]] Result<Grammar> compile_choice(const std::vector<std::string>& choices,
                                             const GrammarLimits& limits = {});
// The root rule is `root`. llama.cpp's GBNF: rules, literals, classes, groups, repetition.
[[nodiscard]] Result<Grammar> compile_gbnf(std::string_view grammar,
                                           const GrammarLimits& limits = {});

}  // namespace heddle::engine::grammar
