#include "engine/text_assembler.h"

#include <algorithm>

#include "text/utf8.h"

namespace heddle::engine {

// Bytes at the end that may be the beginning of a stop string.
std::size_t TextAssembler::held_for_stops() const {
    std::size_t held = 0;
    for (const std::string& stop : stops_) {
        const std::size_t longest = std::min(stop.size() - 1, held_.size());
        for (std::size_t length = longest; length > held; --length) {
            if (held_.ends_with(std::string_view(stop).substr(0, length))) {
                held = length;
                break;
            }
        }
    }
    return held;
}

TextAssembler::Piece TextAssembler::push(std::string_view bytes, bool may_stop) {
    held_ += bytes;
    Piece piece;
    if (!may_stop) {
        const std::size_t ready = text::complete_utf8_prefix(held_);
        piece.text = text::to_valid_utf8(std::string_view(held_).substr(0, ready));
        held_.erase(0, ready);
        return piece;
    }
    std::size_t first = std::string::npos;
    for (const std::string& stop : stops_) {
        const std::size_t at = held_.find(stop);
        if (at < first) {
            first = at;
            piece.stop = stop;
        }
    }
    if (piece.stop) {
        piece.text = text::to_valid_utf8(std::string_view(held_).substr(0, first));
        held_.clear();
        return piece;
    }
    const std::string_view safe =
        std::string_view(held_).substr(0, held_.size() - held_for_stops());
    const std::size_t ready = text::complete_utf8_prefix(safe);
    piece.text = text::to_valid_utf8(safe.substr(0, ready));
    held_.erase(0, ready);
    return piece;
}

std::string TextAssembler::finish() {
    std::string rest = text::to_valid_utf8(held_);
    held_.clear();
    return rest;
}

}  // namespace heddle::engine
