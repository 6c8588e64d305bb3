#include "text/working_text.h"

#include <limits>

#include "base/check.h"

namespace heddle::text {

WorkingText::WorkingText(std::string_view text, std::uint32_t origin, bool tracked)
    : text_(text), origin_(origin), tracked_(tracked), at_start_(origin == 0) {
    HEDDLE_CHECK(text.size() < std::numeric_limits<std::uint32_t>::max() - origin,
                 "callers bound the length of a text");
}

ByteRange WorkingText::source_of(std::uint32_t position) const {
    if (!sources_.empty()) return sources_[position];
    return {origin_ + position, origin_ + position + 1};
}

ByteRange WorkingText::source(ByteRange range) const {
    HEDDLE_CHECK(tracked_, "sources are kept only when asked for");
    if (text_.empty()) return {origin_, origin_};
    if (range.size() == 0) {
        const std::uint32_t at = range.begin < text_.size() ? source_of(range.begin).begin
                                                            : source_of(range.begin - 1).end;
        return {at, at};
    }
    return {source_of(range.begin).begin, source_of(range.end - 1).end};
}

WorkingText WorkingText::cut(ByteRange range) const {
    const std::uint32_t origin = tracked_ ? source(range).begin : origin_ + range.begin;
    WorkingText part(std::string_view(text_).substr(range.begin, range.size()), origin, tracked_);
    part.at_start_ = at_start_ && range.begin == 0;
    if (!sources_.empty()) {
        part.sources_.assign(sources_.begin() + range.begin, sources_.begin() + range.end);
    }
    return part;
}

void Rewriter::keep(std::size_t begin, std::size_t end) {
    out_.append(target_.text_, begin, end - begin);
    if (!target_.tracked_) return;
    for (std::size_t i = begin; i < end; ++i) {
        sources_.push_back(target_.source_of(static_cast<std::uint32_t>(i)));
    }
}

void Rewriter::replace(std::size_t begin, std::size_t end, std::string_view bytes) {
    out_.append(bytes);
    if (!target_.tracked_) return;
    const ByteRange range = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    sources_.insert(sources_.end(), bytes.size(), target_.source(range));
}

void Rewriter::finish() {
    target_.text_ = std::move(out_);
    target_.sources_ = std::move(sources_);
}

}  // namespace heddle::text
