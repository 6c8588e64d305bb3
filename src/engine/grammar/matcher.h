// Where one sequence stands in its grammar. One thread, that of its machine.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "engine/grammar/machine.h"

namespace heddle::engine::grammar {

class Matcher {
public:
    explicit Matcher(std::shared_ptr<Machine> machine)
        : machine_(std::move(machine)), state_(machine_->start()) {}

    // What may come next. `end_ids` may when the text is whole. An error when nothing may: the
    // grammar cannot be satisfied from here, or is too complex to be followed.
    [[nodiscard]] Result<TokenMask> mask(std::span<const TokenId> end_ids);
    // False when the token may not come; nothing has changed then.
    [[nodiscard]] bool accept(TokenId token);
    [[nodiscard]] bool accept_bytes(std::span<const std::uint8_t> bytes);
    [[nodiscard]] bool is_whole() const { return machine_->accepts(state_); }

private:
    std::shared_ptr<Machine> machine_;
    Machine::State state_;
    std::size_t blank_run_ = 0;  // bytes of white space since the last other byte
};

}  // namespace heddle::engine::grammar
