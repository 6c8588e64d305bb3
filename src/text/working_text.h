// A text on its way from what the caller wrote to what the model reads, remembering, where asked,
// which bytes of the original each of its bytes stands for. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle::text {

// Bytes [begin, end) of a text.
struct ByteRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    [[nodiscard]] std::uint32_t size() const { return end - begin; }
    bool operator==(const ByteRange&) const = default;
};

// Always well-formed UTF-8. Text of 4 GiB and more is a bug of the caller.
class WorkingText {
public:
    // `origin` is the place of `text` in the original; with `tracked` unset the source of a byte
    // is not kept and source() may not be asked.
    WorkingText(std::string_view text, std::uint32_t origin, bool tracked);

    [[nodiscard]] const std::string& text() const { return text_; }
    // Whether this is the beginning of the original text.
    [[nodiscard]] bool at_start() const { return at_start_; }

    // The original bytes that bytes [begin, end) of text() stand for.
    [[nodiscard]] ByteRange source(ByteRange range) const;
    // Bytes [begin, end) of it as a text of their own.
    [[nodiscard]] WorkingText cut(ByteRange range) const;

private:
    friend class Rewriter;

    [[nodiscard]] ByteRange source_of(std::uint32_t position) const;

    std::string text_;
    std::uint32_t origin_;
    bool tracked_;
    bool at_start_;
    // Of each byte of text_; empty while the text is still as it was.
    std::vector<ByteRange> sources_;
};

// Writes the next state of a WorkingText from left to right:
//   Rewriter out(text);  out.keep(…); out.replace(…); …  out.finish();
class Rewriter {
public:
    explicit Rewriter(WorkingText& target) : target_(target) {}

    [[nodiscard]] const std::string& source() const { return target_.text_; }
    // Where the next byte of the new text will stand.
    [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(out_.size()); }

    // Copies bytes [begin, end) of the source.
    void keep(std::size_t begin, std::size_t end);
    // Writes `bytes` in place of [begin, end) of the source; an empty range inserts.
    void replace(std::size_t begin, std::size_t end, std::string_view bytes);
    // Makes what was written the text.
    void finish();

private:
    WorkingText& target_;
    std::string out_;
    std::vector<ByteRange> sources_;
};

}  // namespace heddle::text
