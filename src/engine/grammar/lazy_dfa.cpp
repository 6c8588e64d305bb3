#include "engine/grammar/lazy_dfa.h"

#include <algorithm>
#include <deque>
#include <set>

namespace heddle::engine::grammar {

std::size_t LazyDfa::SetHash::operator()(const std::vector<Nfa::State>& set) const {
    std::uint64_t hash = 1469598103934665603u;
    for (const Nfa::State state : set) hash = (hash ^ state) * 1099511628211u;
    return hash;
}

LazyDfa::LazyDfa(const Nfa& nfa, std::size_t states_max)
    : nfa_(nfa), states_max_(states_max), marks_(nfa.size(), 0) {
    Entry dead;
    dead.reach.assign(nfa.reach_words(), 0);
    dead.next.fill(kDead);
    dead.missing = kNever;
    states_.push_back(std::move(dead));
    std::vector<Nfa::State> set{0};
    close(set, true, false);
    start_ = intern(std::move(set));
}

// Adds what is reached without a byte. Only states that read, end or look for the end are kept.
void LazyDfa::close(std::vector<Nfa::State>& set, bool at_start, bool at_end) {
    ++mark_;
    for (const Nfa::State state : set) marks_[state] = mark_;
    for (std::size_t i = 0; i < set.size(); ++i) {
        for (const Nfa::Empty& empty : nfa_.nodes()[set[i]].empties) {
            const bool open = empty.assertion == Assertion::kNone ||
                              (empty.assertion == Assertion::kAtStart && at_start) ||
                              (empty.assertion == Assertion::kAtEnd && at_end);
            if (!open || marks_[empty.to] == mark_) continue;
            marks_[empty.to] = mark_;
            set.push_back(empty.to);
        }
    }
    std::erase_if(set, [this](Nfa::State state) {
        if (nfa_.leads_nowhere(state)) return true;
        const Nfa::Node& node = nfa_.nodes()[state];
        const bool looks_for_end = std::ranges::any_of(node.empties, [](const Nfa::Empty& empty) {
            return empty.assertion == Assertion::kAtEnd;
        });
        return node.edges.empty() && node.ends.empty() && !looks_for_end;
    });
    std::ranges::sort(set);
}

LazyDfa::State LazyDfa::intern(std::vector<Nfa::State> set) {
    if (set.empty()) return kDead;
    if (const auto known = by_set_.find(set); known != by_set_.end()) return known->second;
    if (states_.size() >= states_max_) {
        overflowed_ = true;
        return kDead;
    }
    Entry entry;
    entry.reach.assign(nfa_.reach_words(), 0);
    for (const Nfa::State state : set) {
        entry.continues = entry.continues || !nfa_.nodes()[state].edges.empty();
        for (std::size_t word = 0; word < entry.reach.size(); ++word) {
            entry.reach[word] |= nfa_.reach(state)[word];
        }
    }
    std::vector<Nfa::State> at_end = set;
    close(at_end, false, true);
    for (const Nfa::State state : at_end) {
        const auto& ends = nfa_.nodes()[state].ends;
        entry.ends.insert(entry.ends.end(), ends.begin(), ends.end());
    }
    std::ranges::sort(entry.ends);
    entry.ends.erase(std::unique(entry.ends.begin(), entry.ends.end()), entry.ends.end());
    entry.next.fill(kUnknown);
    entry.set = set;
    const State id = static_cast<State>(states_.size());
    states_.push_back(std::move(entry));
    by_set_.emplace(std::move(set), id);
    return id;
}

LazyDfa::State LazyDfa::next(State state, std::uint8_t byte) {
    const State known = states_[state].next[byte];
    if (known != kUnknown) return known;
    std::vector<Nfa::State> set;
    for (const Nfa::State from : states_[state].set) {
        for (const Nfa::Edge& edge : nfa_.nodes()[from].edges) {
            if (byte >= edge.low && byte <= edge.high) set.push_back(edge.to);
        }
    }
    std::ranges::sort(set);
    set.erase(std::unique(set.begin(), set.end()), set.end());
    close(set, false, false);
    const State to = intern(std::move(set));
    states_[state].next[byte] = to;
    return to;
}

// Breadth first over characters: a continuation byte costs nothing.
std::uint32_t LazyDfa::missing(State from) {
    if (states_[from].missing != kNever - 1) return states_[from].missing;
    std::unordered_map<State, std::uint32_t> best{{from, 0}};
    std::deque<State> open{from};
    std::uint32_t found = kNever;
    while (!open.empty()) {
        const State state = open.front();
        open.pop_front();
        const std::uint32_t distance = best.at(state);
        if (ends_all(state)) {
            found = distance;
            break;
        }
        for (unsigned byte = 0; byte < 256; ++byte) {
            const State to = next(state, static_cast<std::uint8_t>(byte));
            if (to == kDead) continue;
            const bool continues = (byte & 0xC0) == 0x80;
            const std::uint32_t through = distance + (continues ? 0 : 1);
            const auto [at, is_new] = best.try_emplace(to, through);
            if (!is_new && at->second <= through) continue;
            at->second = through;
            if (continues) {
                open.push_front(to);
            } else {
                open.push_back(to);
            }
        }
    }
    states_[from].missing = found;
    return found;
}

// Follows every well-formed UTF-8 character (Unicode standard, table 3-7).
LazyDfa::CharacterKind LazyDfa::character_kind(State state) {
    if (states_[state].any != kUntold) return static_cast<CharacterKind>(states_[state].any);
    struct Lead {
        std::uint8_t first, last;
        std::uint8_t low, high;  // of the second byte
        int more;                // continuation bytes behind it
    };
    static constexpr std::array<Lead, 9> kLeads{{{0x00, 0x7F, 0, 0, -1},
                                                 {0xC2, 0xDF, 0x80, 0xBF, 0},
                                                 {0xE0, 0xE0, 0xA0, 0xBF, 1},
                                                 {0xE1, 0xEC, 0x80, 0xBF, 1},
                                                 {0xED, 0xED, 0x80, 0x9F, 1},
                                                 {0xEE, 0xEF, 0x80, 0xBF, 1},
                                                 {0xF0, 0xF0, 0x90, 0xBF, 2},
                                                 {0xF1, 0xF3, 0x80, 0xBF, 2},
                                                 {0xF4, 0xF4, 0x80, 0x8F, 2}}};
    std::set<State> reached;
    for (const Lead& lead : kLeads) {
        std::set<State> level;
        for (unsigned byte = lead.first; byte <= lead.last; ++byte) {
            level.insert(next(state, static_cast<std::uint8_t>(byte)));
        }
        for (int tail = 0; tail <= lead.more; ++tail) {
            const unsigned low = tail == 0 ? lead.low : 0x80;
            const unsigned high = tail == 0 ? lead.high : 0xBF;
            std::set<State> deeper;
            for (const State from : level) {
                for (unsigned byte = low; byte <= high; ++byte) {
                    deeper.insert(next(from, static_cast<std::uint8_t>(byte)));
                }
            }
            level = std::move(deeper);
        }
        reached.insert(level.begin(), level.end());
    }
    CharacterKind kind = kAny;
    if (reached.contains(kDead)) {
        kind = kSome;
    } else if (reached.size() == 1 && reached.contains(state)) {
        kind = kLoops;
    }
    states_[state].any = kind;
    return kind;
}

bool LazyDfa::takes_any_character(State state) {
    return character_kind(state) >= kAny;
}

bool LazyDfa::accepts_anything(State state) {
    return ends_all(state) && character_kind(state) == kLoops;
}

}  // namespace heddle::engine::grammar
