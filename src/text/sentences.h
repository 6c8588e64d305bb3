// Sentences of a text, with their places. Rules, not a model: abbreviations, initials, numbers,
// ellipses, quotations, parentheses, enumerations, e-mail and web addresses in English, and the
// full stops of other scripts (Chinese, Japanese, Hindi, Arabic, …). The rules follow the cases of
// Pragmatic Segmenter (Dias, 2015). Pure functions; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "text/working_text.h"

namespace heddle::text {

// The sentences of `text`, which is well-formed UTF-8 below 4 GiB: rising, disjoint, none empty,
// without the white space around them; all that is outside is white space. An empty line always
// ends a sentence; a single line break ends one unless the next line goes on with it. Linear time.
[[nodiscard]] std::vector<ByteRange> split_sentences(std::string_view text);

}  // namespace heddle::text
