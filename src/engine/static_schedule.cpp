// The baseline: naive static batches, as a loop around a padded `generate` runs them. A batch of
// a fixed number of prompts is padded to the longest prompt, runs until its longest answer ends,
// every row computed in every step, and reserves memory for the longest answer that it may give.
// Same executor and kernels as the continuous schedule, so that only the schedules differ.
#include <algorithm>

#include "engine/scheduler.h"

namespace heddle::engine {

void Scheduler::plan_static(StepPlan& plan, SteadyTime now) {
    const auto finished = [](const Sequence* s) { return s->state == SequenceState::kFinished; };
    const auto back = [](const Sequence* s) { return s->inflight == 0; };
    if (!batch_.empty() && std::ranges::all_of(batch_, finished)) {
        if (!std::ranges::all_of(batch_, back)) return;
        end_static_batch();
    }
    if (batch_.empty()) {
        start_static_batch(plan, now);
        return;
    }
    const auto wants = [](const Sequence* s) {
        return s->state == SequenceState::kRunning && s->wants_token();
    };
    if (!std::ranges::any_of(batch_, wants)) return;
    for (Sequence* sequence : batch_) {
        if (wants(sequence)) {
            add_item(plan, *sequence, 1);
        } else {
            add_padding_item(plan, *sequence);
        }
    }
}

void Scheduler::start_static_batch(StepPlan& plan, SteadyTime now) {
    const auto anyone = [](const Sequence&) { return true; };
    std::size_t longest_prompt = 0;
    std::size_t longest_answer = 0;
    const auto reserved_for = [&](const Sequence& sequence, std::size_t prompt,
                                  std::size_t answer) {
        const std::size_t end = sequence.request.prompt.size() + answer;
        return blocks_for(std::max(prompt, std::min(end, config_.context_tokens_max)));
    };
    while (batch_.size() < std::min(config_.static_batch, config_.sequences_max)) {
        Sequence* next = queue_.next(now, anyone);
        if (next == nullptr) break;
        const std::size_t prompt = std::max(longest_prompt, next->request.prompt.size());
        const std::size_t answer = std::max(longest_answer, next->request.new_tokens_max);
        std::size_t needed = reserved_for(*next, prompt, answer);
        for (const Sequence* row : batch_) needed += reserved_for(*row, prompt, answer);
        if (needed > pool_.available()) break;
        longest_prompt = prompt;
        longest_answer = answer;
        start(*next);
        batch_.push_back(next);
    }
    for (Sequence* sequence : batch_) {
        const std::size_t blocks = reserved_for(*sequence, longest_prompt, longest_answer);
        for (std::size_t i = 0; i < blocks; ++i) sequence->blocks.push_back(pool_.allocate());
        add_padded_prompt(plan, *sequence, longest_prompt);
    }
}

// Padding stands after the prompt, where causal attention does not see it and the answer
// overwrites it.
void Scheduler::add_padded_prompt(StepPlan& plan, Sequence& sequence, std::size_t length) {
    const std::size_t prompt = sequence.tokens.size();
    add_item(plan, sequence, prompt);
    plan.tokens.resize(plan.tokens.size() + (length - prompt), 0);
    plan.items.back().count = static_cast<std::uint32_t>(length);
    plan.items.back().sample_at = static_cast<std::uint32_t>(prompt - 1);
}

// A row whose answer is complete is computed on, one position further while there are any.
void Scheduler::add_padding_item(StepPlan& plan, Sequence& sequence) {
    const std::size_t reserved = sequence.blocks.size() * config_.block_tokens;
    const std::size_t position = std::min(sequence.scheduled, reserved - 1);
    StepItem item;
    item.sequence = sequence.request.id;
    item.position = static_cast<std::uint32_t>(position);
    item.count = 1;
    item.tokens_begin = static_cast<std::uint32_t>(plan.tokens.size());
    item.blocks_begin = static_cast<std::uint32_t>(plan.blocks.size());
    item.blocks_count = static_cast<std::uint32_t>(sequence.blocks.size());
    item.padding = true;
    plan.tokens.push_back(0);
    plan.blocks.insert(plan.blocks.end(), sequence.blocks.begin(), sequence.blocks.end());
    plan.items.push_back(item);
    sequence.scheduled = std::max(sequence.scheduled, position + 1);
    ++sequence.inflight;
}

void Scheduler::end_static_batch() {
    const std::vector<Sequence*> ending = std::exchange(batch_, {});
    for (Sequence* sequence : ending) retire(*sequence);
}

}  // namespace heddle::engine
