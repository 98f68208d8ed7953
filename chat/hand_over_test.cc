#include "chat/hand_over.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/fake_subscriber.h"
#include "chat/pause_fence.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Chat server "a", whose rooms are all b's by now, because it drains.
class HandOverTest : public ::testing::Test {
 protected:
  HandOverTest() {
    ServerInfo a;
    a.id = "a";
    ServerInfo b;
    b.id = "b";
    owners_.SetServers({a, b});
    owners_.Heard({.id = "b", .incarnation = 1, .draining = false, .settled = true, .times_lost = 0});
    Enter("lobby", "ann");
    (void)rooms_.Send("lobby", "ann", kEverybody, "hi", "n-1");
    subscriber_->Take();
    owners_.Drain();
  }
  void Enter(const std::string& room, const std::string& user) {
    ASSERT_TRUE(rooms_.Add(room, user, {subscriber_, 1, "token"}, "").ok());
  }
  // Answers the oldest call.
  void Answer(const absl::StatusOr<HandOver::Refused>& answer) {
    auto done = std::move(calls_.front().second);
    calls_.erase(calls_.begin());
    done(answer);
  }
  void AnswerAllTaken() { Answer(HandOver::Refused{}); }
  bool Aborted() { return absl::IsAborted(rooms_.Send("lobby", "ann", kEverybody, "hello?").status()); }

  std::shared_ptr<FakeSubscriber> subscriber_ = std::make_shared<FakeSubscriber>(1);
  RoomTable rooms_{{}};
  OwnerTable owners_{"a"};
  std::vector<std::pair<HandOver::Batch, HandOver::Done>> calls_;
  HandOver hand_over_{"a", rooms_, owners_,
                      [this](const std::string& server, const HandOver::Batch& batch, auto done) {
                        EXPECT_EQ(server, "b");
                        calls_.emplace_back(batch, std::move(done));
                      }};
};

TEST_F(HandOverTest, ARoomThatHasArrivedIsForgottenAndItsConnectorsAreTold) {
  hand_over_.Tick();
  ASSERT_EQ(calls_.size(), 1u);
  const RoomState& state = calls_[0].first.rooms->at(0);
  EXPECT_EQ(state.room, "lobby");
  EXPECT_EQ(state.offset, 2u);
  EXPECT_EQ(state.places.at(0).token, "token");
  EXPECT_EQ(state.recent_events.size(), 2u);
  EXPECT_EQ(state.recent_ids.at(0).id, "n-1");
  EXPECT_TRUE(Aborted()) << "it is on its way";
  EXPECT_FALSE(hand_over_.Settled());
  AnswerAllTaken();
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("moved to b"));
  EXPECT_EQ(rooms_.rooms(), 0u);
  EXPECT_EQ(rooms_.recent_bytes(), 0u);
  hand_over_.Tick();
  EXPECT_TRUE(hand_over_.Settled());
}

TEST_F(HandOverTest, ARoomThatIsNotTakenStaysAsItIs) {
  hand_over_.Tick();
  Answer(absl::FailedPreconditionError("b drains too"));
  const auto sent = rooms_.Send("lobby", "ann", kEverybody, "still here");
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->offset, 3u);
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("ann to *: still here@3"));
  hand_over_.Tick();
  EXPECT_EQ(calls_.size(), 1u) << "it is tried again";
}

TEST_F(HandOverTest, WhenNobodyKnowsWhetherItArrivedTheSameIsSentAgain) {
  hand_over_.Tick();
  const HandOver::Batch first = calls_[0].first;
  Answer(absl::DeadlineExceededError("no answer"));
  EXPECT_THAT(calls_, IsEmpty()) << "after a pause";
  hand_over_.Tick();
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(calls_[0].first.number, first.number);
  EXPECT_EQ(calls_[0].first.rooms, first.rooms);
  EXPECT_TRUE(Aborted());
  AnswerAllTaken();
  EXPECT_EQ(rooms_.rooms(), 0u);
}

TEST_F(HandOverTest, WhenNobodyCanBeAskedAnyMoreTheRoomBeginsANewLifeHere) {
  hand_over_.Tick();
  const uint64_t epoch = calls_[0].first.rooms->at(0).epoch;
  Answer(absl::UnavailableError("gone"));
  owners_.Lost("b");
  hand_over_.Tick();
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("moved to a")) << "to restore its places here";
  const auto info = rooms_.Get("lobby");
  ASSERT_TRUE(info.ok());
  EXPECT_NE(info->epoch, epoch);
  EXPECT_EQ(info->members.size(), 1u);
}

TEST_F(HandOverTest, WhatIsForgottenIsNotGivenAway) {
  hand_over_.Tick();
  Answer(absl::UnavailableError("no answer"));
  hand_over_.Forget();
  rooms_.Clear();
  hand_over_.Tick();
  EXPECT_THAT(calls_, IsEmpty());
  EXPECT_TRUE(hand_over_.Settled());
}

TEST_F(HandOverTest, ARoomThatIsRefusedStaysWhileTheOthersGo) {
  Enter("kitchen", "bob");
  hand_over_.Tick();
  ASSERT_EQ(calls_[0].first.rooms->size(), 2u);
  Answer(HandOver::Refused{.rooms = {"lobby"}, .reason = "it is c's"});
  EXPECT_FALSE(Aborted());
  EXPECT_EQ(rooms_.rooms(), 1u);
  EXPECT_THAT(calls_, IsEmpty()) << "after a pause";
  hand_over_.Tick();
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(calls_[0].first.rooms->at(0).room, "lobby");
  EXPECT_EQ(calls_[0].first.number, 2u) << "what it is by now, not what was refused";
}

TEST_F(HandOverTest, AServerThatHasLeftTheDirectoryIsAskedForItsAnswerWhileItCanBeReached) {
  hand_over_.Tick();
  Answer(absl::UnavailableError("no answer"));
  ServerInfo a;
  a.id = "a";
  owners_.SetServers({a});
  hand_over_.Tick();
  EXPECT_TRUE(Aborted()) << "it may be at b";
  ASSERT_EQ(calls_.size(), 1u);
  AnswerAllTaken();
  EXPECT_EQ(rooms_.rooms(), 0u);
}

TEST_F(HandOverTest, ManyRoomsGoInBoundedBatchesOneAfterTheOther) {
  for (int i = 0; i < 500; ++i) Enter(fmt::format("room-{}", i), "bob");
  hand_over_.Tick();
  size_t rooms = 0;
  while (!calls_.empty()) {
    ASSERT_EQ(calls_.size(), 1u);
    EXPECT_LE(calls_[0].first.rooms->size(), 200u);
    rooms += calls_[0].first.rooms->size();
    AnswerAllTaken();
  }
  EXPECT_EQ(rooms, 501u);
  EXPECT_EQ(rooms_.rooms(), 0u);
}

TEST_F(HandOverTest, StopWaitsForWhatIsUnderWayAndBeginsNothing) {
  hand_over_.Tick();
  EXPECT_FALSE(hand_over_.Stop());
  Answer(absl::FailedPreconditionError("no"));
  EXPECT_TRUE(hand_over_.Stop());
  hand_over_.Tick();
  EXPECT_THAT(calls_, IsEmpty());
}

TEST(PauseFence, ClosesAfterALongPauseUntilItIsOpened) {
  PauseFence fence(0);
  fence.Tick(50);
  EXPECT_TRUE(fence.open(50 + PauseFence::kLongestMs));
  EXPECT_FALSE(fence.open(51 + PauseFence::kLongestMs)) << "the first call may come before Close";
  EXPECT_TRUE(fence.stopped(60 + PauseFence::kLongestMs));
  fence.Close(60 + PauseFence::kLongestMs);
  EXPECT_FALSE(fence.stopped(60 + PauseFence::kLongestMs)) << "one pause is told once";
  EXPECT_FALSE(fence.open(60 + PauseFence::kLongestMs));
  fence.Tick(100 + PauseFence::kLongestMs);
  EXPECT_TRUE(fence.closed());
  fence.Open();
  EXPECT_TRUE(fence.open(100 + PauseFence::kLongestMs));
}

}  // namespace
}  // namespace hubbub::chat
