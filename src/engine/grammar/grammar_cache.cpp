#include "engine/grammar/grammar_cache.h"

#include <algorithm>

namespace heddle::engine::grammar {

Result<Grammar> GrammarCache::compile(GrammarKind kind, const std::string& source) const {
    switch (kind) {
        case GrammarKind::kJsonSchema:
            return compile_json_schema(source, {}, limits_);
        case GrammarKind::kJsonObject:
            return any_json_object();
        case GrammarKind::kRegex:
            return compile_regex(source, limits_);
        case GrammarKind::kGbnf:
            return compile_gbnf(source, limits_);
    }
    return fail(ErrorCode::kInternal, "unknown kind of constraint");
}

std::shared_ptr<const Grammar> GrammarCache::find(GrammarKind kind, const std::string& source) {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find_if(
        entries_, [&](const Entry& entry) { return entry.kind == kind && entry.source == source; });
    if (known == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, known);
    return known->grammar;
}

Result<std::shared_ptr<const Grammar>> GrammarCache::get(GrammarKind kind,
                                                         const std::string& asked) {
    const std::string source = kind == GrammarKind::kJsonObject ? "" : asked;
    if (auto known = find(kind, source)) return known;
    HEDDLE_TRY(Grammar compiled, compile(kind, source));
    auto grammar = std::make_shared<const Grammar>(std::move(compiled));
    const std::lock_guard lock(mutex_);
    entries_.push_front({kind, source, grammar});
    bytes_ += source.size();
    while (entries_.size() > entries_max_ || (bytes_ > bytes_max_ && entries_.size() > 1)) {
        bytes_ -= entries_.back().source.size();
        entries_.pop_back();
    }
    return grammar;
}

std::size_t GrammarCache::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace heddle::engine::grammar
