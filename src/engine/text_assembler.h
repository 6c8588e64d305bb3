// Turns the bytes of generated tokens into text that may be sent: whole UTF-8 characters, and
// nothing of a stop string, however the tokens cut either of them.
// One for each answer; engine thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::engine {

class TextAssembler {
public:
    explicit TextAssembler(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    struct Piece {
        std::string text;                 // valid UTF-8, may be empty
        std::optional<std::string> stop;  // the stop string that ended the answer
    };

    // The next token's bytes. With `may_stop` false stop strings that begin before its end are
    // text like other text (tokens_min).
    [[nodiscard]] Piece push(std::string_view bytes, bool may_stop = true);
    // What was held back, when the answer ends for another reason.
    [[nodiscard]] std::string finish();

private:
    [[nodiscard]] std::size_t held_for_stops() const;

    const std::vector<std::string> stops_;
    std::string held_;
};

}  // namespace heddle::engine
