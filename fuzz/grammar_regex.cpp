// A client's regular expression and a text under it: the last line is the text.
#include "grammar_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto newline = input.rfind('\n');
    const std::string_view text = newline == input.npos ? "" : input.substr(newline + 1);
    auto grammar = heddle::engine::grammar::compile_regex(input.substr(0, newline));
    if (grammar) heddle::fuzz::run_grammar(std::move(*grammar), text);
    return 0;
}
