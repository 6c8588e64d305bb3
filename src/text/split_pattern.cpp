#include "text/split_pattern.h"

#include <array>
#include <utility>

#include "text/regex.h"
#include "text/word_scanner.h"

namespace heddle::text {
namespace {

class LiteralPattern final : public SplitPattern {
public:
    explicit LiteralPattern(std::string literal) : literal_(std::move(literal)) {}

    void split(std::string_view text, ByteRange word,
               std::vector<Section>& sections) const override {
        text = text.substr(0, word.end);
        std::size_t done = word.begin;
        while (!literal_.empty()) {
            const std::size_t found = text.find(literal_, done);
            if (found == text.npos) break;
            const auto begin = static_cast<std::uint32_t>(found);
            const auto end = static_cast<std::uint32_t>(found + literal_.size());
            if (done < found)
                sections.push_back({{static_cast<std::uint32_t>(done), begin}, false});
            sections.push_back({{begin, end}, true});
            done = end;
        }
        if (done < word.end) {
            sections.push_back({{static_cast<std::uint32_t>(done), word.end}, false});
        }
    }

private:
    const std::string literal_;
};

class ScannerPattern final : public SplitPattern {
public:
    explicit ScannerPattern(WordScanner scan) : scan_(scan) {}

    void split(std::string_view text, ByteRange word,
               std::vector<Section>& sections) const override {
        const std::string_view part = text.substr(word.begin, word.size());
        for (std::size_t begin = 0; begin < part.size();) {
            const std::size_t end = scan_(part, begin);
            sections.push_back({{word.begin + static_cast<std::uint32_t>(begin),
                                 word.begin + static_cast<std::uint32_t>(end)},
                                true});
            begin = end;
        }
    }

private:
    const WordScanner scan_;
};

class RegexPattern final : public SplitPattern {
public:
    explicit RegexPattern(Regex regex) : regex_(std::move(regex)) {}

    void split(std::string_view text, ByteRange word,
               std::vector<Section>& sections) const override {
        std::uint32_t done = word.begin;
        for (const ByteRange match : regex_.find_all(text.substr(word.begin, word.size()))) {
            const std::uint32_t begin = word.begin + match.begin;
            const std::uint32_t end = word.begin + match.end;
            if (done < begin) sections.push_back({{done, begin}, false});
            sections.push_back({{begin, end}, true});
            done = end;
        }
        if (done < word.end) sections.push_back({{done, word.end}, false});
    }

private:
    const Regex regex_;
};

}  // namespace

SplitPatternPtr make_literal_pattern(std::string literal) {
    return std::make_unique<LiteralPattern>(std::move(literal));
}

Result<SplitPatternPtr> make_regex_pattern(std::string_view expression) {
    static constexpr std::array<std::pair<std::string_view, WordScanner>, 4> kKnown = {
        {{kGpt2Expression, scan_gpt2_word},
         {kLlama3Expression, scan_llama3_word},
         {kQwen2Expression, scan_qwen2_word},
         {kO200kExpression, scan_o200k_word}}};
    for (const auto& [known, scan] : kKnown) {
        if (expression == known) return std::make_unique<ScannerPattern>(scan);
    }
    HEDDLE_TRY(Regex regex, Regex::compile(expression));
    return std::make_unique<RegexPattern>(std::move(regex));
}

}  // namespace heddle::text
