#include "chat/cluster/recovery.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int64_t kLimitMs = 2'000;
constexpr uint64_t kRun = 11;

class RecoveryTest : public ::testing::Test {
 protected:
  LossReport Report(const std::string& connector, const std::vector<std::string>& rooms = {}) const {
    LossReport report{.connector = connector, .part = 0, .parts = 1, .calls = 1, .rooms = {}};
    for (const std::string& room : rooms) {
      report.rooms.emplace_back(room, RoomClaim{.subscriber = subscriber_,
                                                .epoch = 1,
                                                .offset = 0,
                                                .places = {{.user = connector, .session = 1, .token = ""}},
                                                .recent_events = {}});
    }
    return report;
  }
  LossReport Part(const std::string& connector, uint32_t part, uint32_t parts, uint32_t calls) const {
    LossReport report = Report(connector);
    report.part = part;
    report.parts = parts;
    report.calls = calls;
    return report;
  }
  bool Stage(LossReport report, uint64_t incarnation = kRun, const std::string& lost = "chat-1") {
    const std::string connector = report.connector;
    return recovery_.Stage(lost, incarnation, std::move(report), [this, connector](RestoreResults results) {
      std::string answer = connector + ":";
      for (const auto& result : results) {
        answer += " " + (result.ok() ? std::to_string(result->epoch)
                                     : std::string(absl::StatusCodeToString(result.status().code())));
      }
      answers_.push_back(answer);
    });
  }
  absl::StatusOr<std::vector<RestoreResult>> Recover(std::string_view room,
                                                     const std::vector<RoomClaim>& claims) {
    if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    if (!refusal_.ok()) return refusal_;
    std::string line(room);
    for (const RoomClaim& claim : claims) line += " " + claim.places.at(0).user;
    recovered_.push_back(line);
    std::vector<RestoreResult> results(claims.size());
    for (size_t i = 0; i < results.size(); ++i) results[i].epoch = 100 + i;
    return results;
  }
  // With these connectors, of whom each must tell.
  void Tick(int64_t now_ms) {
    recovery_.Tick(
        now_ms,
        [this](const std::string&, const StringSet& told) {
          return std::all_of(connectors_.begin(), connectors_.end(),
                             [&](const std::string& c) { return told.contains(c); });
        },
        [this](std::string_view room, const std::vector<RoomClaim>& claims) {
          return Recover(room, claims);
        });
  }

  const SubscriberPtr subscriber_ = std::make_shared<FakeSubscriber>(1);
  std::vector<std::string> connectors_ = {"one", "two"};
  std::vector<std::string> answers_;
  std::vector<std::string> recovered_;  // Each room, with those who told of it.
  std::function<void()> meanwhile_;     // Called once, while rooms are made.
  absl::Status refusal_ = absl::OkStatus();
  Recovery recovery_{kLimitMs};
};

TEST_F(RecoveryTest, NobodyIsAnsweredBeforeAllHaveTold) {
  recovery_.Begin("chat-1", kRun, 0);
  EXPECT_THAT(recovery_.Lost(), ElementsAre("chat-1"));
  ASSERT_TRUE(Stage(Report("one", {"lobby", "attic"})));
  Tick(1);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(recovered_, IsEmpty());
  ASSERT_TRUE(Stage(Report("two", {"lobby"})));
  EXPECT_THAT(answers_, IsEmpty()) << "on the thread that ticks";
  Tick(2);
  EXPECT_THAT(recovered_, ElementsAre("attic one", "lobby one two"));
  EXPECT_THAT(answers_, ElementsAre("one: 100 100", "two: 101")) << "each in the order in which it asked";
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
}

TEST_F(RecoveryTest, AConnectorThatHeldNothingHasTold) {
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one")));
  ASSERT_TRUE(Stage(Report("two")));
  Tick(1);
  EXPECT_THAT(answers_, ElementsAre("one:", "two:"));
  EXPECT_THAT(recovered_, IsEmpty());
}

TEST_F(RecoveryTest, AConnectorHasToldWhenAllItsPartsHave) {
  connectors_ = {"one"};
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Part("one", 0, 2, 1)));
  Tick(1);
  EXPECT_THAT(answers_, IsEmpty());
  ASSERT_TRUE(Stage(Part("one", 1, 2, 1)));
  Tick(2);
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(RecoveryTest, APartHasToldWhenAllItsCallsHaveCome) {
  connectors_ = {"one"};
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Part("one", 0, 1, 0)));
  Tick(1);
  EXPECT_THAT(answers_, IsEmpty()) << "it does not know yet how many there are";
  ASSERT_TRUE(Stage(Part("one", 0, 1, 3)));
  Tick(2);
  EXPECT_THAT(answers_, IsEmpty());
  ASSERT_TRUE(Stage(Part("one", 0, 1, 3)));
  Tick(3);
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(RecoveryTest, APartThatTellsAgainCountsOnce) {
  connectors_ = {"one"};
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Part("one", 0, 2, 1)));
  for (int call = 0; call < 2; ++call) ASSERT_TRUE(Stage(Part("one", 0, 2, 2)));
  Tick(1);
  EXPECT_THAT(answers_, IsEmpty()) << "the other part has told nothing";
  ASSERT_TRUE(Stage(Part("one", 1, 2, 1)));
  Tick(2);
  EXPECT_EQ(answers_.size(), 4u);
}

TEST_F(RecoveryTest, AfterTheLimitTheRoomsBeginWithoutThoseWhoHaveNotTold) {
  recovery_.Begin("chat-1", kRun, 1'000);
  ASSERT_TRUE(Stage(Report("one", {"lobby"})));
  Tick(1'000 + kLimitMs - 1);
  EXPECT_THAT(answers_, IsEmpty());
  Tick(1'000 + kLimitMs);
  EXPECT_THAT(recovered_, ElementsAre("lobby one"));
  EXPECT_THAT(answers_, ElementsAre("one: 100"));
  EXPECT_FALSE(Stage(Report("two", {"lobby"}))) << "it does not wait any more";
}

TEST_F(RecoveryTest, AServerThatIsBackGetsItsRoomsBack) {
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one", {"lobby", "attic"})));
  recovery_.Cancel("chat-1");
  EXPECT_THAT(answers_, ElementsAre("one: ABORTED ABORTED"));
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
  recovery_.Cancel("chat-1");
  Tick(kLimitMs);
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_THAT(recovered_, IsEmpty());
  EXPECT_FALSE(Stage(Report("two", {"lobby"})));
}

TEST_F(RecoveryTest, OnlyTheRunThatWasLostIsTakenUnlessAnyIs) {
  EXPECT_FALSE(Stage(Report("one"))) << "nothing is lost";
  recovery_.Begin("chat-1", kRun, 0);
  EXPECT_FALSE(Stage(Report("one"), kRun + 1));
  EXPECT_FALSE(Stage(Report("one"), kRun, "chat-2"));
  EXPECT_TRUE(Stage(Report("one"), kRun));
  recovery_.Begin("chat-3", 0, 0);
  EXPECT_TRUE(Stage(Report("one"), 77, "chat-3"));
}

TEST_F(RecoveryTest, TwoRunsThatAreLostInARowAreRecoveredFromTogether) {
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one", {"lobby"}), kRun));
  recovery_.Begin("chat-1", kRun + 1, 1'500);
  ASSERT_TRUE(Stage(Report("one", {"attic"}), kRun + 1));
  Tick(kLimitMs);
  EXPECT_THAT(answers_, IsEmpty()) << "the time begins with the second loss";
  ASSERT_TRUE(Stage(Report("two", {"lobby"}), kRun)) << "the first is still taken";
  Tick(kLimitMs + 1);
  EXPECT_THAT(recovered_, ElementsAre("attic one", "lobby one two"));
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
}

TEST_F(RecoveryTest, LossesOfTwoServersAreApart) {
  recovery_.Begin("chat-1", kRun, 0);
  recovery_.Begin("chat-2", 22, 500);
  EXPECT_THAT(recovery_.Lost(), UnorderedElementsAre("chat-1", "chat-2"));
  ASSERT_TRUE(Stage(Report("one", {"lobby"})));
  ASSERT_TRUE(Stage(Report("one", {"attic"}), 22, "chat-2"));
  ASSERT_TRUE(Stage(Report("two"), 22, "chat-2"));
  Tick(600);
  EXPECT_THAT(recovered_, ElementsAre("attic one"));
  EXPECT_THAT(recovery_.Lost(), ElementsAre("chat-1"));
}

TEST_F(RecoveryTest, AReportThatComesWhileRoomsAreMadeIsAnsweredWithThem) {
  connectors_ = {"one"};
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one", {"lobby"})));
  std::vector<std::string> lost;
  meanwhile_ = [&] {
    lost = recovery_.Lost();
    EXPECT_TRUE(Stage(Report("late", {"lobby"})));
  };
  Tick(1);
  EXPECT_THAT(lost, ElementsAre("chat-1")) << "meanwhile nobody else makes these rooms";
  EXPECT_THAT(recovered_, ElementsAre("lobby one", "lobby late"));
  EXPECT_THAT(answers_, ElementsAre("one: 100", "late: 100"));
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
}

TEST_F(RecoveryTest, AServerThatIsBackWhileRoomsAreMadeEndsTheRecovery) {
  connectors_ = {"one"};
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one", {"lobby"})));
  meanwhile_ = [&] { recovery_.Cancel("chat-1"); };
  Tick(1);
  EXPECT_THAT(answers_, ElementsAre("one: 100")) << "once";
  EXPECT_THAT(recovery_.Lost(), IsEmpty());
}

TEST_F(RecoveryTest, ARoomThatCanNotBeHadHereIsToldSoToAll) {
  refusal_ = absl::FailedPreconditionError("it belongs to another");
  recovery_.Begin("chat-1", kRun, 0);
  ASSERT_TRUE(Stage(Report("one", {"lobby"})));
  ASSERT_TRUE(Stage(Report("two", {"lobby"})));
  Tick(1);
  EXPECT_THAT(answers_, ElementsAre("one: FAILED_PRECONDITION", "two: FAILED_PRECONDITION"));
}

}  // namespace
}  // namespace hubbub::chat
