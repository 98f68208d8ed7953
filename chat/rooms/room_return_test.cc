// Who may come back to a room by which name, and what is told of what was missed.
#include <memory>
#include <string>
#include <vector>

#include "chat/rooms/room.h"
#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RoomReturnTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kEpoch = 77;
  static constexpr int64_t kNow = 1'000'000;
  static constexpr int64_t kHeartbeat = 3000;
  static constexpr uint64_t kHere = 11;
  static constexpr uint64_t kThere = 22;

  // As the service does it: `wait_ms` 0 for a client that knows its token.
  struct Comer {
    std::string resume = "";
    std::string token = "";
    uint64_t address = kHere;
    int64_t wait_ms = 0;
    DuplicateUser policy = DuplicateUser::kRefuse;
  };
  absl::StatusOr<AddResult> Add(const Comer& comer, int64_t now_ms = kNow,
                                std::optional<SeenPoint> seen = {}) {
    return room_.Add("ann",
                     {.subscriber = b_,
                      .session = ++sessions_,
                      .token = comer.token,
                      .address = comer.address,
                      .wait_ms = comer.wait_ms},
                     comer.resume, comer.policy, now_ms, seen);
  }
  // Ann is in the room, by this client.
  void Enter(const Comer& comer) {
    ASSERT_TRUE(room_
                    .Add("ann",
                         {.subscriber = a_,
                          .session = 1,
                          .token = comer.token,
                          .address = comer.address,
                          .wait_ms = comer.wait_ms},
                         "", DuplicateUser::kRefuse, kNow)
                    .ok());
  }
  void ExpectRefused(const Comer& comer, int64_t now_ms, const std::string& text) {
    const auto refused = Add(comer, now_ms);
    EXPECT_TRUE(absl::IsAlreadyExists(refused.status())) << refused.status();
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(text));
  }
  std::vector<std::string> Missed(const Comer& comer) {
    const auto back = Add(comer, kNow + 60'000, SeenPoint{.epoch = kEpoch, .offset = 1});
    EXPECT_TRUE(back.ok() && back->missed.has_value()) << back.status();
    std::vector<std::string> texts;
    if (!back.ok() || !back->missed) return texts;
    for (const EventPtr& event : *back->missed) texts.push_back(event->content);
    room_.KickPlace("ann", {2, sessions_}, kNow + 60'000);
    return texts;
  }

  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> b_ = std::make_shared<FakeSubscriber>(2);
  const Room::Limits limits_ = {};
  LeaseIndex index_;
  Room room_{"lobby", kEpoch, limits_, index_};
  uint64_t sessions_ = 100;
};

TEST_F(RoomReturnTest, ACleanEndFreesTheName) {
  Enter({.token = "t1"});
  room_.KickPlace("ann", {1, 1}, kNow);
  EXPECT_TRUE(Add({.address = kThere}).ok());
}

TEST_F(RoomReturnTest, WhoWasCutOffHasItsNameKeptForItsToken) {
  Enter({.token = "t1"});
  a_->Take();
  EXPECT_GT(room_.KickPlace("ann", {1, 1}, kNow, KeepName{}), 0u) << "others are told at once";
  ExpectRefused({.address = kThere}, kNow, "try again in 5 s");
  ExpectRefused({.address = kHere}, kNow + 3000, "try again in 2 s");
  ExpectRefused({.resume = "t2", .token = "t3", .address = kHere}, kNow + 4999, "try again in 1 s");
  const auto back = Add({.resume = "t1", .token = "t1"}, kNow + 1);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_FALSE(back->resumed) << "it had left";
}

TEST_F(RoomReturnTest, ANameIsKeptForTheGraceAndThenAnybodys) {
  Enter({.token = "t1"});
  room_.KickPlace("ann", {1, 1}, kNow, KeepName{});
  EXPECT_FALSE(room_.forgotten());
  EXPECT_TRUE(Add({.address = kThere}, kNow + 5000).ok());
}

TEST_F(RoomReturnTest, AClientWithoutTokensHasItsNameKeptForItsAddressForAHeartbeat) {
  const Comer stock{.token = "t1", .wait_ms = kHeartbeat};
  for (const Comer& comer : {Comer{.address = kHere}, Comer{.resume = "t1", .address = kThere}}) {
    Enter(stock);
    room_.KickPlace("ann", {1, 1}, kNow, KeepName{.wait_ms = kHeartbeat});
    ExpectRefused({.address = kThere}, kNow + 1, "try again in 3 s");
    ASSERT_TRUE(Add(comer, kNow + 1).ok());
    room_.KickPlace("ann", {2, sessions_}, kNow);
  }
  Enter(stock);
  room_.KickPlace("ann", {1, 1}, kNow, KeepName{.wait_ms = kHeartbeat});
  EXPECT_TRUE(Add({.address = kThere}, kNow + kHeartbeat).ok());
}

TEST_F(RoomReturnTest, WhoComesBackAndLeavesAgainLeavesNoNameKept) {
  Enter({.token = "t1"});
  room_.KickPlace("ann", {1, 1}, kNow, KeepName{});
  ASSERT_TRUE(Add({.resume = "t1", .token = "t1"}).ok());
  room_.KickPlace("ann", {2, sessions_}, kNow);
  EXPECT_TRUE(Add({.address = kThere}).ok());
}

TEST_F(RoomReturnTest, OtherPoliciesLetAnybodyIn) {
  for (const DuplicateUser policy : {DuplicateUser::kReplace, DuplicateUser::kAllow}) {
    Enter({.token = "t1"});
    room_.KickPlace("ann", {1, 1}, kNow, KeepName{});
    EXPECT_TRUE(Add({.address = kThere, .policy = policy}).ok());
    room_.KickPlace("ann", {2, sessions_}, kNow);
  }
}

TEST_F(RoomReturnTest, APlaceOfALostConnectorIsTakenOverFromTheSameAddressOrAfterAHeartbeat) {
  const Comer stock{.token = "t1", .wait_ms = kHeartbeat};
  Enter(stock);
  ExpectRefused({.address = kHere}, kNow, "is in room");  // Its connector is there.
  a_->Break(1000);
  ExpectRefused({.address = kThere}, kNow, "try again in 2 s");
  a_->Take();
  b_->Take();
  const auto back = Add({.token = "t2", .address = kHere, .wait_ms = kHeartbeat});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(back->resumed);
  EXPECT_THAT(b_->TakeTexts(), IsEmpty()) << "nobody saw a leave";
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("replaced ann/1")) << "should it come back";
  b_->Break(kHeartbeat);
  const auto third = std::make_shared<FakeSubscriber>(3);
  EXPECT_TRUE(room_
                  .Add("ann", {.subscriber = third, .session = 5, .token = "t3", .address = kThere}, "",
                       DuplicateUser::kRefuse, kNow)
                  .ok());
}

TEST_F(RoomReturnTest, APlaceOfALostConnectorIsTheTokensIfTheClientKnowsIt) {
  Enter({.token = "t1"});
  a_->Break(4500);
  ExpectRefused({.address = kHere}, kNow, "try again in 1 s");
  a_->Break(60'000);
  ExpectRefused({.address = kHere}, kNow, "try again in 1 s");  // The lease's end is due.
  EXPECT_TRUE(Add({.resume = "t1", .token = "t1", .address = kThere})->resumed);
}

// A connector that was halted restores what its clients have given up long ago.
TEST_F(RoomReturnTest, ASessionThatWasLeftBehindDoesNotTakeThePlaceBackByTheSameToken) {
  Enter({.token = "t1"});
  ASSERT_TRUE(Add({.resume = "t1", .token = "t1"})->resumed);
  const uint64_t newest = sessions_;
  for (const DuplicateUser policy :
       {DuplicateUser::kRefuse, DuplicateUser::kReplace, DuplicateUser::kAllow}) {
    const auto woken = std::make_shared<FakeSubscriber>(1);  // Its connector is named as before.
    const RestoreResult result = room_.Restore({.subscriber = woken,
                                                .epoch = kEpoch,
                                                .offset = 1,
                                                .places = {{"ann", 1, "t1"}},
                                                .recent_events = {}},
                                               policy, kNow);
    EXPECT_THAT(result.replaced, ElementsAre(0u));
    ASSERT_EQ(room_.Info().members.size(), 1u);
    EXPECT_EQ(room_.Info().members[0].session, newest);
  }
  // But the newest one does, under whichever lease of its connector.
  const auto again = std::make_shared<FakeSubscriber>(2);
  const RestoreResult result = room_.Restore({.subscriber = again,
                                              .epoch = kEpoch,
                                              .offset = 1,
                                              .places = {{"ann", newest, "t1"}},
                                              .recent_events = {}},
                                             DuplicateUser::kRefuse, kNow);
  EXPECT_THAT(result.replaced, IsEmpty());
  EXPECT_EQ(room_.Info().members.size(), 1u);
}

TEST_F(RoomReturnTest, WhatWasForTheUserAloneIsForItsTokenAlone) {
  Enter({.token = "t1"});
  ASSERT_TRUE(room_.Send("bob", kEverybody, "to all", kNow).ok());
  ASSERT_TRUE(room_.Send("bob", "ann", "to ann", kNow).ok());
  ASSERT_TRUE(room_.Send("ann", "ann", "to myself", kNow).ok());
  room_.KickPlace("ann", {1, 1}, kNow);
  EXPECT_THAT(Missed({}), ElementsAre("to all"));
  EXPECT_THAT(Missed({.resume = "t0", .token = "t0"}), ElementsAre("to all"));
  EXPECT_THAT(Missed({.resume = "t1", .token = "t2"}), ElementsAre("to all", "to ann", "to myself"));
  EXPECT_THAT(Missed({.resume = "t2", .token = "t1"}), ElementsAre("to all", "to ann", "to myself"))
      << "the token that it goes on with";
}

TEST_F(RoomReturnTest, EachPlaceOfAUserMayHaveWhatWasForTheUser) {
  Enter({.token = "t1"});
  ASSERT_TRUE(Add({.token = "t2", .policy = DuplicateUser::kAllow}).ok());
  ASSERT_TRUE(room_.Send("bob", "ann", "to both", kNow).ok());
  ASSERT_TRUE(room_.Kick("ann", kNow).ok());
  for (const char* token : {"t1", "t2"}) EXPECT_THAT(Missed({.resume = token}), ElementsAre("to both"));
  EXPECT_THAT(Missed({.resume = "t3"}), IsEmpty());
}

TEST_F(RoomReturnTest, AllThatMovesWithTheRoom) {
  Enter({.token = "t1"});
  ASSERT_TRUE(room_.Send("bob", "ann", "to ann", kNow).ok());
  room_.KickPlace("ann", {1, 1}, kNow, KeepName{});
  const RoomState state = room_.State(kNow + 1000);
  Room there("lobby", kEpoch, limits_, index_);
  constexpr int64_t kOtherClock = 5'000'000;
  there.Adopt(state, {}, kOtherClock);
  const auto add = [&](const std::string& resume, int64_t now_ms) {
    return there.Add("ann", {.subscriber = b_, .session = 7, .token = "t9", .address = kThere}, resume,
                     DuplicateUser::kRefuse, now_ms, SeenPoint{.epoch = kEpoch, .offset = 1});
  };
  EXPECT_TRUE(absl::IsAlreadyExists(add("", kOtherClock + 3999).status()));
  const auto back = add("t1", kOtherClock);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->missed->size(), 1u);
}

}  // namespace
}  // namespace hubbub::chat
