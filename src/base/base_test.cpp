// What every room leans on: ids sort and are unique, Rng repeats, Result carries its error.
#include <set>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"

namespace heddle {
namespace {

TEST(Ids, RiseAndAreUnique) {
    std::set<std::string> seen;
    std::string previous;
    for (int i = 0; i < 10'000; ++i) {
        const std::string id = new_id();
        EXPECT_TRUE(is_id(id));
        EXPECT_LT(previous, id);
        EXPECT_TRUE(seen.insert(id).second);
        previous = id;
    }
}

TEST(Ids, RefusesWhatIsNotAnId) {
    EXPECT_FALSE(is_id(""));
    EXPECT_FALSE(is_id("../../../../etc/passwd-----"));
    EXPECT_FALSE(is_id(std::string(26, 'I')));  // I, L, O and U are not in the alphabet
    EXPECT_FALSE(is_id(std::string(25, '0')));
}

TEST(Rng, SameSeedSameNumbers) {
    Rng a(42);
    Rng b(42);
    Rng c(43);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const auto x = a.next();
        EXPECT_EQ(x, b.next());
        differs |= x != c.next();
    }
    EXPECT_TRUE(differs);
}

TEST(Rng, BelowStaysBelowAndIsEven) {
    Rng rng(7);
    int counts[3] = {};
    for (int i = 0; i < 30'000; ++i) ++counts[rng.below(3)];
    for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

Result<int> half(int x) {
    if (x % 2 != 0) {
        return fail(Error(ErrorCode::kInvalidArgument, "must be even").with_param("x"));
    }
    return x / 2;
}

Result<int> quarter(int x) {
    HEDDLE_TRY(const int h, half(x));
    return half(h);
}

TEST(Result, TryPassesTheErrorOn) {
    EXPECT_EQ(*quarter(8), 2);
    const auto bad = quarter(6);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(bad.error().param(), "x");
}

TEST(FakeClock, MovesOnlyWhenTold) {
    FakeClock clock;
    const auto start = clock.steady();
    EXPECT_EQ(clock.steady(), start);
    clock.advance(std::chrono::seconds(3));
    EXPECT_EQ(clock.steady() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace heddle
