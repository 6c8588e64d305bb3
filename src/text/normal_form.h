// The Unicode normal forms (UAX #15), one segment at a time, so that a caller can tell which bytes
// of the input each part of the output came from. One reader belongs to one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.h"

namespace heddle::text {

// Reads well-formed text as a row of segments whose normal forms concatenate to that of the whole:
// a starter that nothing before it composes with, and all that follows up to the next such.
class NormalFormReader {
public:
    NormalFormReader(std::string_view text, NormalForm form);

    // Moves to the next segment; false at the end.
    bool next();

    // The source bytes of the segment and its normal form.
    [[nodiscard]] std::size_t begin() const { return begin_; }
    [[nodiscard]] std::size_t end() const { return end_; }
    [[nodiscard]] const std::string& text() const { return normal_; }

private:
    struct Scalar {
        char32_t code_point;
        int combining_class;
        std::size_t place;  // in the segment, before ordering
    };

    bool take_ascii();
    [[nodiscard]] bool starts_segment(char32_t code_point) const;
    void decompose(char32_t code_point, std::vector<Scalar>& out) const;
    void order();
    void compose();

    const std::string_view source_;
    const bool compatible_;
    const bool composed_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string normal_;
    std::vector<Scalar> scalars_;
};

}  // namespace heddle::text
