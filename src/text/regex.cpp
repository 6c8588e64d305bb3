#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <string>
#include <utility>

#include <pcre2.h>

#include "base/check.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

constexpr std::size_t kPatternBytesMax = 16 << 10;
constexpr std::uint32_t kMatchSteps = 1'000'000;  // of one match
constexpr std::uint32_t kHeapKibibytes = 20'000;

struct FreeMatch {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using MatchData = std::unique_ptr<pcre2_match_data, FreeMatch>;

// The patterns are written for Oniguruma, whose \w is that of Unicode (UTS #18), outside of
// brackets with the numbers of Latin-1, and whose \h is a hexadecimal digit.
std::string translate(std::string_view pattern) {
    constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
    constexpr std::string_view kLoneWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}²³¹¼-¾)";
    constexpr std::string_view kHexadecimal = "0-9a-fA-F";
    std::string out;
    bool in_class = false;
    const auto put = [&](std::string_view members, bool negated) {
        if (in_class) {
            out.append(members);
        } else {
            out.append(negated ? "[^" : "[").append(members).append("]");
        }
    };
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            const char escaped = pattern[++i];
            const bool negated = escaped == 'W' || escaped == 'H';
            if (escaped == 'w' || (escaped == 'W' && !in_class)) {
                put(in_class ? kWord : kLoneWord, negated);
            } else if (escaped == 'h' || (escaped == 'H' && !in_class)) {
                put(kHexadecimal, negated);
            } else {
                out.append({c, escaped});
            }
            continue;
        }
        if (c == '[') in_class = true;
        if (c == ']') in_class = false;
        out.push_back(c);
    }
    return out;
}

}  // namespace

struct Regex::Code {
    pcre2_code* code = nullptr;
    pcre2_match_context* context = nullptr;

    Code() = default;
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    ~Code() {
        pcre2_match_context_free(context);
        pcre2_code_free(code);
    }
};

Regex::Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

Result<Regex> Regex::compile(std::string_view pattern) {
    if (pattern.size() > kPatternBytesMax) {
        return fail(ErrorCode::kTooLarge, "a regular expression is longer than 16 KiB");
    }
    int error = 0;
    PCRE2_SIZE place = 0;
    const std::string perl = translate(pattern);
    auto code = std::make_shared<Code>();
    code->code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(perl.data()), perl.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &place, nullptr);
    if (code->code == nullptr) {
        return fail(ErrorCode::kCorrupt, "a regular expression cannot be read");
    }
    pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE);  // where it fails, the interpreter serves
    code->context = pcre2_match_context_create(nullptr);
    HEDDLE_CHECK(code->context != nullptr, "memory for a match context");
    pcre2_set_match_limit(code->context, kMatchSteps);
    pcre2_set_heap_limit(code->context, kHeapKibibytes);
    return Regex(std::move(code));
}

std::vector<ByteRange> Regex::find_all(std::string_view text) const {
    std::vector<ByteRange> matches;
    const MatchData data(pcre2_match_data_create(1, nullptr));
    HEDDLE_CHECK(data != nullptr, "memory for a match");
    std::size_t from = 0;
    while (from <= text.size()) {
        const int count =
            pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                        PCRE2_NO_UTF_CHECK, data.get(), code_->context);
        if (count < 0) break;
        const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
        // \K may put the beginning of a match behind its end.
        if (ends[0] < from || ends[1] < ends[0]) break;
        matches.push_back(
            {static_cast<std::uint32_t>(ends[0]), static_cast<std::uint32_t>(ends[1])});
        from = ends[1];
        if (ends[0] != ends[1]) continue;
        from += from < text.size() ? decode_utf8(text, from).length : 1;
    }
    return matches;
}

}  // namespace heddle::text
