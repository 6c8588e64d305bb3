#include "ingest/ocr/tsv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "ingest/clean.h"

namespace heddle::ingest::ocr {
namespace {

constexpr std::size_t kColumns = 12;
constexpr int kWordLevel = 5;
constexpr float kConfidenceMin = 30;  // of 100
constexpr float kPixelsMax = 1e5F;
constexpr std::size_t kBlockBytesMax = 64U << 10;

// level page block paragraph line word left top width height confidence text
struct Word {
    std::array<float, kColumns - 1> numbers{};
    std::string_view text;

    [[nodiscard]] int level() const { return static_cast<int>(numbers[0]); }
    [[nodiscard]] bool same_paragraph(const Word& other) const {
        return numbers[2] == other.numbers[2] && numbers[3] == other.numbers[3];
    }
    [[nodiscard]] bool same_line(const Word& other) const {
        return same_paragraph(other) && numbers[4] == other.numbers[4];
    }
    [[nodiscard]] float confidence() const { return numbers[10]; }
    [[nodiscard]] Box box(float scale) const {
        return {numbers[6] * scale, numbers[7] * scale, (numbers[6] + numbers[8]) * scale,
                (numbers[7] + numbers[9]) * scale};
    }
};

std::optional<Word> parse_word(std::string_view line) {
    Word word;
    for (float& number : word.numbers) {
        const std::size_t tab = line.find('\t');
        if (tab == std::string_view::npos) return std::nullopt;
        const auto [end, error] = std::from_chars(line.data(), line.data() + tab, number);
        if (error != std::errc() || end != line.data() + tab || !(number >= -1) ||
            number > kPixelsMax)
            return std::nullopt;
        line.remove_prefix(tab + 1);
    }
    word.text = line;
    return word;
}

class ParagraphBuilder {
public:
    ParagraphBuilder(std::uint32_t page, float scale) : page_(page), scale_(scale) {}

    void add(const Word& word) {
        const std::string text = clean_line(word.text);
        if (text.empty()) return;
        const bool first = !last_ || !last_->same_paragraph(word);
        if (first || blocks_.back().text.size() > kBlockBytesMax)
            blocks_.push_back({.kind = BlockKind::kParagraph, .page = page_});
        Block& block = blocks_.back();
        const bool new_line = block.lines.empty() || !last_->same_line(word);
        const bool hyphen = new_line && block.text.size() > 1 && block.text.back() == '-' &&
                            text[0] >= 'a' && text[0] <= 'z';
        if (hyphen)
            block.text.pop_back();
        else if (!block.text.empty())
            block.text += ' ';
        const Box box = word.box(scale_);
        if (new_line) {
            block.lines.push_back({page_, static_cast<std::uint32_t>(block.text.size()), box});
        } else {
            Box& line = block.lines.back().box;
            line = {std::min(line.left, box.left), std::min(line.top, box.top),
                    std::max(line.right, box.right), std::max(line.bottom, box.bottom)};
        }
        block.text += text;
        last_ = word;
    }
    std::vector<Block> take() { return std::move(blocks_); }

private:
    const std::uint32_t page_;
    const float scale_;
    std::vector<Block> blocks_;
    std::optional<Word> last_;
};

}  // namespace

std::vector<Block> read_tsv(std::string_view tsv, std::uint32_t page, float scale) {
    ParagraphBuilder builder(page, scale);
    while (!tsv.empty()) {
        const std::size_t end = std::min(tsv.find('\n'), tsv.size());
        const std::optional<Word> word = parse_word(tsv.substr(0, end));
        if (word && word->level() == kWordLevel && word->confidence() >= kConfidenceMin)
            builder.add(*word);
        tsv.remove_prefix(std::min(end + 1, tsv.size()));
    }
    return builder.take();
}

}  // namespace heddle::ingest::ocr
