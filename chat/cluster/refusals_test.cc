#include "chat/cluster/refusals.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

constexpr uint64_t kB = 2;
constexpr uint64_t kNextB = 3;
constexpr uint64_t kC = 4;
constexpr int64_t kStartMs = 1'000'000;

// The address of `run` refuses at this time, while the store shows this of it.
struct Refusal {
  int64_t after_ms = 0;  // Since the start of the test.
  uint64_t run = kB;
  int64_t beat = 7;
  bool draining = false;
  bool marked = false;  // As gone.
  bool gone = false;    // What is to be judged.
};

struct Case {
  std::string name;
  std::vector<Refusal> refusals;
};

class RefusalsTest : public ::testing::TestWithParam<Case> {};

TEST_P(RefusalsTest, Judges) {
  Refusals refusals;
  for (const Refusal& refusal : GetParam().refusals) {
    SCOPED_TRACE(testing::Message() << refusal.after_ms << " ms, run " << refusal.run);
    StoreView view;
    view.servers = {{.incarnation = 1, .id = "a", .beat = 7},
                    {.incarnation = refusal.run,
                     .id = refusal.run == kC ? "c" : "b",
                     .beat = refusal.beat,
                     .draining = refusal.draining,
                     .gone = refusal.marked}};
    const auto gone = refusals.Observe(view, refusal.run, kStartMs + refusal.after_ms);
    EXPECT_EQ(gone.has_value(), refusal.gone);
    if (gone) {
      EXPECT_EQ(*gone, view.servers[1]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusalsTest,
    ::testing::Values(Case{"OneRefusalIsNotEnough", {{}}},
                      Case{"TwoThatAreApartAre", {{}, {.after_ms = 100, .gone = true}}},
                      Case{"TwoAtOnceAreNot", {{}, {.after_ms = 99}, {.after_ms = 100, .gone = true}}},
                      Case{"ABeatBetweenBeginsTheTimeAnew",
                           {{},
                            {.after_ms = 150, .beat = 8},
                            {.after_ms = 249, .beat = 8},
                            {.after_ms = 250, .beat = 8, .gone = true}}},
                      Case{"WhoDrainsIsNotJudged", {{.draining = true}, {.after_ms = 500, .draining = true}}},
                      Case{"WhoIsMarkedAlreadyIsNotNamed", {{}, {.after_ms = 500, .marked = true}}},
                      Case{"EachRunIsJudgedByItsOwnRefusals",
                           {{}, {.after_ms = 500, .run = kC}, {.after_ms = 500, .gone = true}}},
                      Case{"WhoIsBackIsTrustedForAMinute",
                           {{},
                            {.after_ms = 100, .gone = true},
                            {.after_ms = 1'000, .run = kNextB},
                            {.after_ms = 60'099, .run = kNextB},
                            {.after_ms = 60'100, .run = kNextB},
                            {.after_ms = 60'200, .run = kNextB, .gone = true}}},
                      Case{"TheTrustIsInOneServer",
                           {{},
                            {.after_ms = 100, .gone = true},
                            {.after_ms = 200, .run = kC},
                            {.after_ms = 300, .run = kC, .gone = true}}}),
    [](const auto& test) { return test.param.name; });

TEST(RefusalsUnlistedTest, ARunThatTheStoreDoesNotListIsNotJudged) {
  Refusals refusals;
  EXPECT_EQ(refusals.Observe({}, kB, kStartMs), std::nullopt);
  EXPECT_EQ(refusals.Observe({}, kB, kStartMs + 500), std::nullopt);
}

}  // namespace
}  // namespace hubbub::chat
