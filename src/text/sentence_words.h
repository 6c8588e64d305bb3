// The words that sentence splitting knows (English). Lower case but where case matters.
#pragma once

#include <string_view>

namespace heddle::text {

// What stands before a full stop and need not end a sentence.
enum class Abbreviation {
    kNone,
    kTitle,    // always followed by a name: Mr, Dr, Gen
    kNumber,   // followed by a number: No, p, Fig
    kGeneral,  // may end a sentence: Co, Inc, etc
};

// `word` without its last full stop, in any case.
[[nodiscard]] Abbreviation abbreviation_kind(std::string_view word);

// Whether a capitalised word is one that sentences begin with (The, However, What), so that an
// abbreviation before it ends its sentence.
[[nodiscard]] bool is_sentence_starter(std::string_view word);

}  // namespace heddle::text
