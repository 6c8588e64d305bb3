// What must hold for every compiled grammar, whatever it was made from.
#pragma once

#include "base/result.h"
#include "engine/grammar/grammar.h"

namespace heddle::engine::grammar {

// No node may come back to itself without reading a byte: a schema that only refers to itself, a
// rule that begins with itself. kInvalidArgument with `reason` otherwise.
[[nodiscard]] Result<void> check_recursion(const Grammar& grammar, const char* reason);

[[nodiscard]] Error grammar_too_complex(std::string_view what);

}  // namespace heddle::engine::grammar
