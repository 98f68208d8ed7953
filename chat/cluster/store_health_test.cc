#include "chat/cluster/store_health.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/testing/test_log.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAreArray;

constexpr char kAwayLine[] =
    "the store does not answer, and chat servers keep the slots that they have: connection refused";
constexpr char kBackLine[] = "the store answers again";

absl::Status Ok() {
  return absl::OkStatus();
}
absl::Status Away() {
  return absl::UnavailableError("connection refused");
}
absl::Status Ended() {
  return absl::CancelledError("this chat server ends");
}

struct Case {
  std::string name;
  std::vector<absl::Status> calls;
  bool answers = false;
  uint64_t errors = 0;
  std::vector<std::string> lines = {};
};

class StoreHealthTest : public ::testing::TestWithParam<Case> {};

TEST_P(StoreHealthTest, KnowsTheLatestAnswerAndLogsEachChangeOnce) {
  const testing::TestLog log;
  StoreHealth health;
  for (const absl::Status& call : GetParam().calls) health.Tell(call);
  EXPECT_EQ(health.answers(), GetParam().answers);
  EXPECT_EQ(health.errors(), GetParam().errors);
  EXPECT_THAT(log.lines(), ElementsAreArray(GetParam().lines));
}

INSTANTIATE_TEST_SUITE_P(
    All, StoreHealthTest,
    ::testing::Values(
        Case{.name = "NothingIsKnownAtFirst", .calls = {}},
        Case{.name = "AFirstAnswerIsNoNews", .calls = {Ok(), Ok()}, .answers = true},
        Case{.name = "AwayFromTheStart", .calls = {Away()}, .errors = 1, .lines = {kAwayLine}},
        Case{.name = "StaysAway", .calls = {Ok(), Away(), Away(), Away()}, .errors = 3, .lines = {kAwayLine}},
        Case{.name = "IsBack",
             .calls = {Away(), Away(), Ok(), Ok()},
             .answers = true,
             .errors = 2,
             .lines = {kAwayLine, kBackLine}},
        Case{.name = "IsAwayAgain",
             .calls = {Away(), Ok(), Away()},
             .errors = 2,
             .lines = {kAwayLine, kBackLine, kAwayLine}},
        Case{.name = "TheEndOfThisServerSaysNothing", .calls = {Ok(), Ended()}, .answers = true},
        Case{.name = "NorDoesItWhileTheStoreIsAway",
             .calls = {Away(), Ended()},
             .errors = 1,
             .lines = {kAwayLine}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace hubbub::chat
