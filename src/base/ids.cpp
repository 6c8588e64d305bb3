#include "base/ids.h"

#include <array>
#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"

namespace heddle {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLength = 26;

struct Last {
    std::mutex mutex;
    std::uint64_t millis = 0;
    std::array<std::byte, 10> random{};
};

// Adds one to the 80-bit number; carries stop at the top, which 2^80 ids a millisecond away.
void increment(std::array<std::byte, 10>& bytes) {
    for (std::size_t i = bytes.size(); i-- > 0;) {
        bytes[i] = static_cast<std::byte>(std::to_integer<unsigned>(bytes[i]) + 1);
        if (bytes[i] != std::byte{0}) return;
    }
}

}  // namespace

std::string new_id() {
    static Last last;
    std::uint64_t millis = static_cast<std::uint64_t>(Clock::system().wall_ms());
    std::array<std::byte, 10> random{};
    {
        const std::lock_guard lock(last.mutex);
        if (millis > last.millis) {
            last.millis = millis;
            secure_random(last.random);
        } else {
            millis = last.millis;
            increment(last.random);
        }
        random = last.random;
    }
    std::string id(kLength, '0');
    for (std::size_t i = 0; i < 10; ++i) id[i] = kAlphabet[(millis >> (45 - 5 * i)) & 31];
    std::uint64_t bits = 0;
    int held = 0;
    std::size_t out = 10;
    for (const std::byte byte : random) {
        bits = (bits << 8) | std::to_integer<std::uint64_t>(byte);
        held += 8;
        while (held >= 5) {
            held -= 5;
            id[out++] = kAlphabet[(bits >> held) & 31];
        }
    }
    return id;
}

bool is_id(std::string_view text) {
    return text.size() == kLength && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace heddle
