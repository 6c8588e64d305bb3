#include "engine/fair_queue.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::engine {
namespace {

void insert_by_arrival(std::vector<Sequence*>& list, Sequence& sequence) {
    const auto at = std::ranges::upper_bound(list, sequence.request.id, {},
                                             [](const Sequence* s) { return s->request.id; });
    list.insert(at, &sequence);
}

}  // namespace

std::optional<std::uint64_t> FairQueue::smallest_busy() const {
    std::optional<std::uint64_t> smallest;
    for (const auto& [key, account] : accounts_) {
        if (!account.busy) continue;
        smallest = std::min(smallest.value_or(account.charged), account.charged);
    }
    return smallest;
}

void FairQueue::push(Sequence& sequence) {
    const std::uint64_t floor = smallest_busy().value_or(0);
    auto [at, is_new] = accounts_.try_emplace(sequence.request.key);
    Account& account = at->second;
    if (is_new || !account.busy) {
        account.charged = std::max(account.charged, floor);
        account.busy = true;
    }
    insert_by_arrival(account.waiting, sequence);
}

void FairQueue::push_preempted(Sequence& sequence) {
    insert_by_arrival(preempted_, sequence);
}

void FairQueue::remove(const Sequence& sequence) {
    if (std::erase(preempted_, &sequence) > 0) return;
    const auto at = accounts_.find(sequence.request.key);
    HEDDLE_CHECK(at != accounts_.end() && std::erase(at->second.waiting, &sequence) == 1,
                 "a sequence that leaves the queue is in it");
}

void FairQueue::charge(const std::string& key, std::uint64_t tokens) {
    accounts_[key].charged += tokens;
}

void FairQueue::leave(const std::string& key) {
    const auto leaving = accounts_.find(key);
    if (leaving == accounts_.end()) return;
    leaving->second.busy = false;
    // An idle account at or below the busy ones would be lifted on return: it says nothing.
    const auto floor = smallest_busy();
    std::erase_if(accounts_, [floor](const auto& entry) {
        return !entry.second.busy && (!floor || entry.second.charged <= *floor);
    });
}

int FairQueue::highest_waiting() const {
    int highest = 0;
    bool any = false;
    for (const auto& [key, account] : accounts_) {
        for (const Sequence* sequence : account.waiting) {
            highest =
                any ? std::max(highest, sequence->request.priority) : sequence->request.priority;
            any = true;
        }
    }
    return highest;
}

int FairQueue::level(const Sequence& sequence, SteadyTime now, int highest) const {
    const auto raised = (now - sequence.arrived) / ageing_;
    const auto level = std::int64_t{sequence.request.priority} + raised;
    return static_cast<int>(std::min<std::int64_t>(level, highest));
}

std::size_t FairQueue::size() const {
    std::size_t count = preempted_.size();
    for (const auto& [key, account] : accounts_) count += account.waiting.size();
    return count;
}

std::vector<Sequence*> FairQueue::all() const {
    std::vector<Sequence*> list = preempted_;
    for (const auto& [key, account] : accounts_) {
        list.insert(list.end(), account.waiting.begin(), account.waiting.end());
    }
    return list;
}

}  // namespace heddle::engine
