#include "service/document_language.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "text/utf8.h"

namespace heddle::service {
namespace {

constexpr std::size_t kSampleBytes = 64U << 10;
constexpr std::size_t kLettersMin = 40;
// At least this share of the words of a text in a language is in its list.
constexpr std::size_t kWordsPercentMin = 12;
constexpr std::string_view kMultilingual = "paraphrase-multilingual-MiniLM-L12-v2";

enum class Script {
    kNone,
    kLatin,
    kHan,
    kKana,
    kHangul,
    kCyrillic,
    kGreek,
    kArabic,
    kHebrew,
    kDevanagari,
    kThai
};
constexpr std::size_t kScripts = 11;

struct ScriptRange {
    char32_t first;
    char32_t last;
    Script script;
};
constexpr ScriptRange kRanges[] = {
    {'A', 'Z', Script::kLatin},        {'a', 'z', Script::kLatin},
    {0xC0, 0x24F, Script::kLatin},     {0x370, 0x3FF, Script::kGreek},
    {0x400, 0x52F, Script::kCyrillic}, {0x590, 0x5FF, Script::kHebrew},
    {0x600, 0x6FF, Script::kArabic},   {0x900, 0x97F, Script::kDevanagari},
    {0xE00, 0xE7F, Script::kThai},     {0x3040, 0x30FF, Script::kKana},
    {0x3400, 0x9FFF, Script::kHan},    {0xAC00, 0xD7AF, Script::kHangul},
};

Script script_of(char32_t c) {
    for (const ScriptRange& range : kRanges) {
        if (c >= range.first && c <= range.last) return range.script;
    }
    return Script::kNone;
}

// The commonest words of languages in Latin letters; those that two share are left to both.
struct Words {
    std::string_view language;
    std::array<std::string_view, 14> words;
};
constexpr Words kLatinWords[] = {
    {"en",
     {"the", "of", "and", "to", "in", "is", "that", "for", "with", "as", "are", "was", "on", "by"}},
    {"de",
     {"der", "die", "und", "das", "ist", "nicht", "den", "von", "mit", "ein", "eine", "zu", "für",
      "auf"}},
    {"fr",
     {"le", "la", "les", "des", "et", "est", "dans", "une", "du", "que", "pour", "qui", "sur",
      "pas"}},
    {"es",
     {"el", "los", "las", "del", "que", "y", "en", "una", "por", "con", "para", "se", "como",
      "más"}},
    {"it",
     {"il", "di", "che", "della", "e", "un", "per", "non", "sono", "con", "gli", "nel", "più",
      "una"}},
    {"pt",
     {"o", "os", "que", "não", "uma", "do", "da", "em", "para", "com", "se", "dos", "ao", "como"}},
    {"nl",
     {"de", "het", "een", "van", "en", "dat", "niet", "voor", "zijn", "met", "op", "aan", "wordt",
      "ook"}},
    {"pl",
     {"i", "w", "na", "nie", "się", "jest", "że", "do", "z", "to", "jak", "przez", "dla", "oraz"}},
    {"sv",
     {"och", "att", "det", "som", "en", "är", "av", "för", "inte", "med", "den", "till", "på",
      "ett"}},
    {"tr",
     {"ve", "bir", "bu", "için", "ile", "olarak", "da", "de", "daha", "olan", "çok", "gibi", "en",
      "sonra"}},
};

std::string latin_language(std::string_view text) {
    std::array<std::size_t, std::size(kLatinWords)> hits{};
    std::size_t total = 0;
    std::string word;
    const auto finish = [&] {
        if (word.empty()) return;
        ++total;
        for (std::size_t i = 0; i < hits.size(); ++i) {
            const auto& words = kLatinWords[i].words;
            hits[i] += std::find(words.begin(), words.end(), word) != words.end();
        }
        word.clear();
    };
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || std::isalpha(byte) != 0)
            word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
        else
            finish();
    }
    finish();
    const auto best = std::max_element(hits.begin(), hits.end());
    if (*best * 100 < total * kWordsPercentMin) return {};
    return std::string(kLatinWords[static_cast<std::size_t>(best - hits.begin())].language);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string language_of(std::string_view text) {
    const std::string_view sample = text.substr(0, text::floor_utf8(text, kSampleBytes));
    std::array<std::size_t, kScripts> counts{};
    for (std::size_t i = 0; i < sample.size();) {
        const auto decoded = text::decode_utf8(sample, i);
        ++counts[static_cast<std::size_t>(script_of(decoded.code_point))];
        i += decoded.length;
    }
    const auto count = [&](Script script) { return counts[static_cast<std::size_t>(script)]; };
    std::size_t letters = 0;
    for (std::size_t i = 1; i < counts.size(); ++i) letters += counts[i];
    if (letters < kLettersMin) return {};
    // Kana stands among Han in Japanese; a Han character says as much as several letters.
    if (count(Script::kKana) * 10 > count(Script::kHan) && count(Script::kKana) * 5 > letters)
        return "ja";
    if (count(Script::kHan) * 5 > letters) return "zh";
    constexpr std::pair<Script, std::string_view> kAlone[] = {
        {Script::kHangul, "ko"}, {Script::kCyrillic, "ru"}, {Script::kGreek, "el"},
        {Script::kArabic, "ar"}, {Script::kHebrew, "he"},   {Script::kDevanagari, "hi"},
        {Script::kThai, "th"}};
    for (const auto& [script, language] : kAlone) {
        if (count(script) * 2 > letters) return std::string(language);
    }
    return count(Script::kLatin) * 2 > letters ? latin_language(sample) : std::string();
}

bool embedder_serves(std::string_view embedder, std::string_view language) {
    if (language.empty() || language == "en") return true;
    std::string name(embedder.substr(0, embedder.find('/')));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    constexpr std::string_view kForAll[] = {"multilingual",
                                            "bge-m3",
                                            "labse",
                                            "qwen3",
                                            "gemma",
                                            "jina-embeddings-v3",
                                            "-v3-",
                                            "text-embedding-3",
                                            "nomic-embed-text-v2"};
    if (std::any_of(std::begin(kForAll), std::end(kForAll),
                    [&](std::string_view part) { return contains(name, part); }))
        return true;
    // "jina-embeddings-v2-base-de" and the like.
    return (name + "-").find("-" + std::string(language) + "-") != std::string::npos;
}

std::string language_warning(std::string_view text, std::string_view embedder) {
    const std::string language = language_of(text);
    if (embedder_serves(embedder, language)) return {};
    return fmt::format(
        "the document's language ({}) is not one that the embedding model {} was made for: it will "
        "be found by words, hardly by meaning; a multilingual model, such as {}, serves it",
        language, embedder, kMultilingual);
}

}  // namespace heddle::service
