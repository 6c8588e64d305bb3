// Compiled constraints by what they were compiled from: requests tend to repeat their schemas,
// and a machine that knows a grammar is found by it. Bounded by number and by source bytes, least
// recently used first. Thread-safe; compiling happens on the caller's thread, outside the lock.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "engine/grammar/grammar.h"

namespace heddle::engine::grammar {

enum class GrammarKind : std::uint8_t { kJsonSchema, kJsonObject, kRegex, kGbnf };

class GrammarCache {
public:
    explicit GrammarCache(GrammarLimits limits = {}, std::size_t entries_max = 256,
                          std::size_t bytes_max = std::size_t{8} << 20)
        : limits_(limits), entries_max_(entries_max), bytes_max_(bytes_max) {}

    // `source` is ignored for kJsonObject.
    [[nodiscard]] Result<std::shared_ptr<const Grammar>> get(GrammarKind kind,
                                                             const std::string& source);
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        GrammarKind kind;
        std::string source;
        std::shared_ptr<const Grammar> grammar;
    };

    [[nodiscard]] Result<Grammar> compile(GrammarKind kind, const std::string& source) const;
    [[nodiscard]] std::shared_ptr<const Grammar> find(GrammarKind kind, const std::string& source);

    const GrammarLimits limits_;
    const std::size_t entries_max_;
    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // guarded by mutex_; latest first
    std::size_t bytes_ = 0;     // guarded by mutex_
};

}  // namespace heddle::engine::grammar
