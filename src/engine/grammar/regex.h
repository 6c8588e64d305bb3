// Regular expressions as JSON Schema's `pattern` and the regex constraint have them: the part of
// ECMA-262 that describes a regular language. Compiled into an automaton; no backtracking exists.
//
// Not supported, and refused: look-around, back-references, \b and \B, \p{...}, named groups.
// \d, \w and \s mean their ASCII sets, `.` any character but a line break.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "engine/grammar/nfa.h"

namespace heddle::engine::grammar {

enum class Match : std::uint8_t {
    kWhole,   // the expression describes the whole text
    kSearch,  // it is found somewhere in it (JSON Schema)
};

// Adds `pattern` between `from` and a new end with `label`. `states_max` bounds the size that the
// automaton may reach. kInvalidArgument for what is malformed, unsupported or too large.
[[nodiscard]] Result<void> add_regex(Nfa& nfa, Nfa::State from, std::string_view pattern,
                                     Match match, Nfa::Label label, std::size_t states_max);

}  // namespace heddle::engine::grammar
