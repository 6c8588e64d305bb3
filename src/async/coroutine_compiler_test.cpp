// Patterns of co_await that gcc 12.2 miscompiles (double frees of temporaries; asio issues #858
// and #1214). Every supported compiler must run them clean under AddressSanitizer.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/runtime.h"

namespace heddle::async {
namespace {

struct Aggregate {
    std::string name;
    std::vector<int> numbers;
};

const char* const kLong = "long enough to live on the heap, not in the string itself";

Task<std::string> name_of(Aggregate aggregate) {
    co_return aggregate.name;
}
Task<std::string> name_by_reference(const Aggregate& aggregate) {
    co_return aggregate.name;
}
Task<std::string> call(std::function<std::string()> fn) {
    co_return fn();
}
Task<std::string> joined(std::vector<std::string> parts) {
    std::string all;
    for (const auto& part : parts) all += part;
    co_return all;
}

struct Maker {
    std::string prefix;
    Task<std::string> make() { co_return prefix + kLong; }
};

Task<int> survivors() {
    int right = 0;
    const std::string text = kLong;
    right += co_await name_of(Aggregate{.name = text, .numbers = {1, 2}}) == text;
    right += co_await name_of({text, {}}) == text;
    right += co_await name_by_reference(Aggregate{text, {3}}) == text;
    right += co_await call([text] { return text; }) == text;
    right += co_await joined({text, text}) == text + text;
    right += co_await Maker{"a "}.make() == "a " + text;
    const Aggregate built{co_await name_of(Aggregate{text, {}}), {4}};
    right += built.name == text;
    if (co_await name_of(Aggregate{text, {5}}) == text) ++right;
    const auto owned = std::make_unique<std::string>(text);
    right += co_await call([&owned] { return *owned; }) == text;
    co_return right;
}

TEST(CoroutineCompiler, KeepsTemporariesAlive) {
    Runtime runtime({.io_threads = 1, .worker_threads = 1});
    EXPECT_EQ(runtime.run(survivors()), 9);
}

}  // namespace
}  // namespace heddle::async
