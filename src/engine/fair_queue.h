// The sequences that wait, in the order in which they may start.
//
// Keys share the engine by deficit: each key's account is charged with the tokens that were
// really computed for it, and among the keys that wait the one with the smallest account is
// next. This is deficit round-robin with the cost known only after service, the "virtual token
// counter" of Sheng et al., Fairness in Serving Large Language Models (OSDI 2024). A key that
// comes back from idleness starts at the smallest account of the busy keys, so that idleness
// earns nothing.
//
// Priority comes before shares. Waiting raises a sequence by one level an `ageing` interval, up
// to the highest level that is waiting: there shares decide, so nothing starves and a long queue
// buys nothing. Preempted sequences come before all others, oldest first.
// Engine thread only; holds no ownership.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/sequence.h"

namespace heddle::engine {

class FairQueue {
public:
    explicit FairQueue(std::chrono::nanoseconds ageing) : ageing_(ageing) {}

    void push(Sequence& sequence);
    // The sequence that was preempted goes to the very front.
    void push_preempted(Sequence& sequence);
    void remove(const Sequence& sequence);

    // The sequence to start next among those for which `ready(sequence)` holds; null when none.
    template <class Ready>
    [[nodiscard]] Sequence* next(SteadyTime now, Ready ready) const;

    // Tokens computed for `key`.
    void charge(const std::string& key, std::uint64_t tokens);
    // The key has no sequence, waiting or running, any more.
    void leave(const std::string& key);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::vector<Sequence*> all() const;

private:
    struct Account {
        std::uint64_t charged = 0;
        bool busy = true;
        std::vector<Sequence*> waiting;  // by arrival
    };

    [[nodiscard]] std::optional<std::uint64_t> smallest_busy() const;
    [[nodiscard]] int level(const Sequence& sequence, SteadyTime now, int highest) const;
    [[nodiscard]] int highest_waiting() const;

    const std::chrono::nanoseconds ageing_;
    std::map<std::string, Account> accounts_;
    std::vector<Sequence*> preempted_;  // by arrival
};

template <class Ready>
Sequence* FairQueue::next(SteadyTime now, Ready ready) const {
    for (Sequence* sequence : preempted_) {
        if (ready(*sequence)) return sequence;
    }
    const int highest = highest_waiting();
    Sequence* best = nullptr;
    int best_level = 0;
    std::uint64_t best_charged = 0;
    for (const auto& [key, account] : accounts_) {
        for (Sequence* sequence : account.waiting) {
            const int at = level(*sequence, now, highest);
            const bool better = best == nullptr || at > best_level ||
                                (at == best_level && account.charged < best_charged);
            if (!better || !ready(*sequence)) continue;
            best = sequence;
            best_level = at;
            best_charged = account.charged;
        }
    }
    return best;
}

}  // namespace heddle::engine
