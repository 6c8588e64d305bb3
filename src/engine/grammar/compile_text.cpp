// Grammars over plain text: a regular expression, or one of several choices.
#include <algorithm>

#include "engine/grammar/grammar.h"
#include "engine/grammar/grammar_checks.h"
#include "engine/grammar/regex.h"

namespace heddle::engine::grammar {
namespace {

Grammar of_automaton(Nfa nfa, const GrammarLimits& limits) {
    nfa.finish();
    Grammar grammar;
    grammar.limits = limits;
    grammar.automata.push_back(std::move(nfa));
    grammar.nodes.push_back({.kind = NodeKind::kBytes});
    return grammar;
}

}  // namespace

Result<Grammar> compile_regex(std::string_view pattern, const GrammarLimits& limits) {
    if (pattern.size() > limits.source_bytes_max) return fail(grammar_too_complex("length"));
    Nfa nfa;
    auto added = add_regex(nfa, 0, pattern, Match::kWhole, 0, limits.automaton_states_max);
    if (!added) return fail(std::move(added).error().with_reason("invalid_grammar"));
    return of_automaton(std::move(nfa), limits);
}

Result<Grammar> compile_choice(const std::vector<std::string>& choices,
                               const GrammarLimits& limits) {
    std::size_t bytes = 0;
    Nfa nfa;
    for (const std::string& text : choices) {
        bytes += text.size() + 1;
        if (bytes > std::min(limits.source_bytes_max, limits.automaton_states_max)) {
            return fail(grammar_too_complex("length"));
        }
        if (text.empty()) {
            return fail(Error(ErrorCode::kInvalidArgument, "a choice must not be empty")
                            .with_reason("invalid_grammar"));
        }
        nfa.add_end(nfa.add_text(0, text), 0);
    }
    if (choices.empty()) {
        return fail(Error(ErrorCode::kInvalidArgument, "there are no choices")
                        .with_reason("invalid_grammar"));
    }
    return of_automaton(std::move(nfa), limits);
}

}  // namespace heddle::engine::grammar
