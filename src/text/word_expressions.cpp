#include "text/word_expressions.h"

#include <algorithm>
#include <initializer_list>

#include "text/split_pattern.h"

namespace heddle::text {
namespace {

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kLineBreak = R"([\r\n])";
constexpr std::string_view kIdeographs = R"([一-龥\x{800}-一가-\x{D7FF}]+)";

constexpr std::string_view kDeepSeek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)"
    R"(|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})"
    R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::optional<WordExpressions> find_word_expressions(std::string_view pre) {
    if (is_one_of(pre, {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral",
                        "midm-2.0", "lfm2"})) {
        return WordExpressions{{kLlama3Expression}, true, true};
    }
    if (is_one_of(pre, {"glm4", "glm5"})) return WordExpressions{{kLlama3Expression}, true};
    if (is_one_of(pre, {"dbrx", "smaug-bpe", "chatglm-bpe"})) {
        return WordExpressions{{kLlama3Expression}};
    }
    if (is_one_of(pre, {"qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "kormo",
                        "grok-2", "solar-open"})) {
        return WordExpressions{{kQwen2Expression}};
    }
    if (pre == "qwen35") return WordExpressions{{kQwen35}};
    if (is_one_of(pre, {"gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de",
                        "jina-v1-en", "jina-v2-code", "roberta-bpe", "modern-bert", "gigachat",
                        "mpt", "olmo", "jais", "exaone4", "trillion", "granite-docling"})) {
        return WordExpressions{{kGpt2Expression}};
    }
    if (is_one_of(pre, {"gpt-4o", "llama4", "kanana2", "minimax-m2"})) {
        return WordExpressions{{kO200kExpression}};
    }
    if (pre == "tekken") return WordExpressions{{kTekken}, true, true};
    if (is_one_of(pre, {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone",
                        "minerva-7b"})) {
        return WordExpressions{{kDigit, kGpt2Expression}};
    }
    if (pre == "falcon") {
        return WordExpressions{{R"([\p{P}$+<=>^~|`]+)", kGpt2Expression, R"([0-9][0-9][0-9])"}};
    }
    if (is_one_of(pre, {"deepseek-v3", "hunyuan-dense", "joyai-llm"})) {
        return WordExpressions{{kThreeDigits, R"([一-龥぀-ゟ゠-ヿ]+)", kDeepSeek3}};
    }
    if (pre == "deepseek-llm") {
        return WordExpressions{{kLineBreak, R"(\s?[\p{Lu}\p{Ll}\p{Lt}]+)",
                                R"(\s?[!-/:-~！-／：-～‘-‟\x{3000}-。]+)", R"(\s+$)", kIdeographs,
                                R"(\p{N}+)"}};
    }
    if (pre == "deepseek-coder") {
        return WordExpressions{{kLineBreak, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kIdeographs, kDigit}};
    }
    if (is_one_of(pre, {"bloom", "poro-chat", "gpt3-finnish"})) return WordExpressions{{kBloom}};
    if (pre == "viking") return WordExpressions{{kBloom, kDigit}};
    if (pre.empty() || pre == "default") {
        return WordExpressions{
            {R"([\p{P}$+<=>^~|]+)", kGpt2Expression, R"(\p{N}+)", R"([0-9][0-9][0-9])"}};
    }
    return std::nullopt;
}

}  // namespace heddle::text
