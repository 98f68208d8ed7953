#include "services/net/lateness.h"

#include <chrono>

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Clock::duration kAllowed = seconds(10);
constexpr Clock::duration kLittle = milliseconds(1);

TEST(LatenessTest, NobodyIsLateInTime) {
  const auto not_asked = [] {
    ADD_FAILURE() << "a system call for nothing";
    return false;
  };
  EXPECT_FALSE(IsLate(seconds(0), kAllowed, not_asked));
  EXPECT_FALSE(IsLate(kAllowed, kAllowed, not_asked));
}

TEST(LatenessTest, NobodyIsLateWhileBytesAreUnread) {
  const Clock::duration passed = kAllowed + kLittle;
  EXPECT_TRUE(IsLate(passed, kAllowed, [] { return false; }));
  EXPECT_FALSE(IsLate(passed, kAllowed, [] { return true; }));
  EXPECT_FALSE(IsLate(2 * kAllowed, kAllowed, [] { return true; }));
}

TEST(LatenessTest, SendingOnGivesNobodyMoreThanTwiceTheTime) {
  EXPECT_TRUE(IsLate(2 * kAllowed + kLittle, kAllowed, [] { return true; }));
}

}  // namespace
}  // namespace hubbub::net
