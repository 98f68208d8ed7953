#include "services/program/memory_trim.h"

#include "gtest/gtest.h"

namespace hubbub::program {
namespace {

constexpr size_t kMib = size_t{1} << 20;

TEST(MemoryTrim, GivesBackWhatIsWorthIt) {
  const struct {
    const char* what;
    size_t resident, in_use, before;
    bool worth_it;
  } cases[] = {
      {"a program at rest", 40 * kMib, 10 * kMib, 0, false},
      {"much is in use", 600 * kMib, 560 * kMib, 0, false},
      {"a flood has gone", 600 * kMib, 20 * kMib, 0, true},
      {"what is left could not be given back", 600 * kMib, 20 * kMib, 590 * kMib, false},
      {"another flood has gone", 600 * kMib, 20 * kMib, 300 * kMib, true},
      {"the system does not say", 0, 20 * kMib, 0, false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(MemoryTrim::IsWorthIt(c.resident, c.in_use, c.before), c.worth_it) << c.what;
}

TEST(MemoryTrim, KnowsTheMemoryOfTheProcess) {
  EXPECT_GT(ResidentBytes(), kMib);
  MemoryTrim trim;
  trim.Tick(MemoryTrim::Clock::now());
}

}  // namespace
}  // namespace hubbub::program
