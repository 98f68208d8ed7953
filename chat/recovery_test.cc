#include "chat/recovery.h"

#include <memory>
#include <string>
#include <vector>

#include "chat/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kLimit = 2000;

class RecoveryTest : public ::testing::Test {
 protected:
  // Reports a room that each of them names after itself, and one that all have.
  LossReport Report(const std::string& connector, uint32_t part = 0, uint32_t parts = 1, uint32_t calls = 1) {
    LossReport report{.connector = connector, .part = part, .parts = parts, .calls = calls, .rooms = {}};
    for (const std::string& room : {std::string("all"), connector}) {
      report.rooms.emplace_back(room, RoomClaim{.subscriber = std::make_shared<FakeSubscriber>(1),
                                                .epoch = 7,
                                                .offset = 0,
                                                .places = {{connector, 1, ""}},
                                                .recent_events = {}});
    }
    return report;
  }
  bool Stage(const LossReport& report, uint64_t incarnation = 5) {
    return recovery_.Stage("lost", incarnation, report,
                           [this, name = report.connector](const RestoreResults& r) {
                             std::string line = name;
                             for (const auto& result : r)
                               line += result.ok() ? fmt::format(" {}", result->total) : " later";
                             answers_.push_back(line);
                           });
  }
  void Tick(int64_t now_ms, const std::vector<std::string>& expected) {
    recovery_.Tick(now_ms, [&](const std::string&, const StringSet& told) {
      for (const std::string& connector : expected) {
        if (!told.contains(connector)) return false;
      }
      return true;
    });
  }

  std::vector<std::string> recovered_;  // Each room with how many claims it began.
  std::vector<std::string> answers_;
  Recovery recovery_{kLimit, [this](std::string_view room, std::vector<RoomClaim> claims) {
                       recovered_.push_back(fmt::format("{} {}", room, claims.size()));
                       std::vector<RestoreResult> results(claims.size());
                       for (RestoreResult& result : results) result.total = claims.size();
                       return results;
                     }};
};

TEST_F(RecoveryTest, NobodyIsAnsweredBeforeAllHaveTold) {
  recovery_.Begin("lost", 5, 0);
  ASSERT_TRUE(Stage(Report("one")));
  Tick(100, {"one", "two"});
  EXPECT_THAT(answers_, IsEmpty());
  ASSERT_TRUE(Stage(Report("two")));
  Tick(200, {"one", "two"});
  EXPECT_THAT(recovered_, ElementsAre("all 2", "one 1", "two 1"));
  EXPECT_THAT(answers_, ElementsAre("one 2 1", "two 2 1"));
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
  EXPECT_FALSE(Stage(Report("late"))) << "it is over";
}

TEST_F(RecoveryTest, AConnectorHasToldWhenAllCallsOfAllItsPartsAreHere) {
  recovery_.Begin("lost", 5, 0);
  ASSERT_TRUE(Stage(Report("one", 0, 2, 2)));
  ASSERT_TRUE(Stage(Report("one", 1, 2, 1)));
  Tick(100, {"one"});
  EXPECT_THAT(answers_, IsEmpty());
  ASSERT_TRUE(Stage(Report("one", 0, 2, 2)));
  Tick(150, {"one"});
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(RecoveryTest, WhoeverDoesNotTellIsNotWaitedForLong) {
  recovery_.Begin("lost", 5, 0);
  ASSERT_TRUE(Stage(Report("one")));
  Tick(kLimit - 1, {"one", "two"});
  EXPECT_THAT(answers_, IsEmpty());
  Tick(kLimit, {"one", "two"});
  EXPECT_THAT(answers_, ElementsAre("one 1 1"));
}

TEST_F(RecoveryTest, OneThatIsBackHasItsRoomsItself) {
  recovery_.Begin("lost", 5, 0);
  ASSERT_TRUE(Stage(Report("one")));
  recovery_.Cancel("lost");
  EXPECT_THAT(answers_, ElementsAre("one later later"));
  EXPECT_THAT(recovered_, IsEmpty());
  recovery_.Cancel("lost");
}

TEST_F(RecoveryTest, AReportOfAnotherRunIsNoneOfThisOne) {
  recovery_.Begin("lost", 5, 0);
  EXPECT_FALSE(Stage(Report("one"), 4)) << "that one was told of before";
  ASSERT_TRUE(Stage(Report("one"), 5));
  // Lost again before that was over: both runs are recovered from.
  recovery_.Begin("lost", 6, 1000);
  ASSERT_TRUE(Stage(Report("two"), 6));
  ASSERT_TRUE(Stage(Report("three"), 5));
  Tick(kLimit, {"one", "two", "three", "four"});
  EXPECT_THAT(answers_, IsEmpty()) << "the second one began later";
  Tick(1000 + kLimit, {"one", "two", "three", "four"});
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(RecoveryTest, WhatCanNotBeMadeYetIsAskedForAgain) {
  Recovery refuses(
      kLimit, [](std::string_view, std::vector<RoomClaim>) -> absl::StatusOr<std::vector<RestoreResult>> {
        return absl::AbortedError("not now");
      });
  refuses.Begin("lost", 0, 0);
  bool later = false;
  ASSERT_TRUE(refuses.Stage("lost", 3, Report("one"), [&](const RestoreResults& results) {
    later = absl::IsAborted(results.at(0).status());
  }));
  refuses.Tick(1, [](const auto&, const auto&) { return true; });
  EXPECT_TRUE(later);
}

}  // namespace
}  // namespace hubbub::chat
