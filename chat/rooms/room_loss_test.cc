// How a room begins again after the loss of its chat server: who has which place, and whom nobody brings
// back.
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
using ::testing::UnorderedElementsAre;

class RoomLossTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kEpoch = 77;
  static constexpr uint64_t kBefore = 76;
  static constexpr int64_t kNow = 1'000'000;

  RoomLossTest() { room_.GoOnFrom({{kBefore, {}}}, kNow); }

  RoomClaim Claim(const SubscriberPtr& at, std::vector<RestoredPlace> places,
                  std::vector<std::string> shown = {}) const {
    return {.subscriber = at,
            .epoch = kBefore,
            .offset = 9,
            .places = std::move(places),
            .recent_events = {},
            .shown_users = std::move(shown)};
  }
  RestoreResult Restore(const RoomClaim& claim) { return room_.Restore(claim, DuplicateUser::kRefuse, kNow); }
  absl::StatusOr<AddResult> Add(const std::string& user, const std::shared_ptr<FakeSubscriber>& at,
                                uint64_t session, uint64_t attempt = 0, const std::string& token = "") {
    return room_.Add(user, {.subscriber = at, .session = session, .token = token, .attempt = attempt}, token,
                     DuplicateUser::kRefuse, kNow);
  }
  std::vector<std::string> Places() const {
    std::vector<std::string> places;
    for (const MemberInfo& m : room_.Info().members)
      places.push_back(fmt::format("{}/{}/{}", m.user, m.connector, m.session));
    return places;
  }

  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> b_ = std::make_shared<FakeSubscriber>(2);
  const Room::Limits limits_ = {};
  LeaseIndex index_;
  Room room_{"lobby", kEpoch, limits_, index_};
};

TEST_F(RoomLossTest, AnEnterThatWasStuckTakesNoPlaceFromALaterSession) {
  EXPECT_EQ(Add("ann", b_, 5, 200, "t")->attempt, 200u);
  a_->Take();
  const auto late = Add("ann", a_, 1, 100, "t");
  EXPECT_TRUE(absl::IsAlreadyExists(late.status())) << late.status();
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("by a later session"));
  EXPECT_THAT(Places(), ElementsAre("ann/connector-2/5"));
  EXPECT_THAT(b_->Take(), testing::SizeIs(1)) << "its own coming, and no end";
  EXPECT_TRUE(Add("ann", b_, 5, 200, "t")->resumed) << "the same enter, asked again";
  EXPECT_EQ(Add("ann", a_, 2, 201, "t")->attempt, 201u);
}

// By the time that has passed since, for clocks of machines differ.
TEST_F(RoomLossTest, OfTwoEntersThatAreNotNumberedTheOneThatWasAskedForLaterCounts) {
  const auto add = [&](const auto& at, uint64_t session, std::optional<int64_t> asked_ms,
                       uint64_t attempt = 0) {
    return room_.Add(
        "ann", {.subscriber = at, .session = session, .token = "t", .attempt = attempt, .asked_ms = asked_ms},
        "t", DuplicateUser::kRefuse, kNow);
  };
  EXPECT_TRUE(add(b_, 5, kNow - 10).ok());
  const auto late = add(a_, 1, kNow - 5'000);
  EXPECT_TRUE(absl::IsAlreadyExists(late.status())) << late.status();
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("by a later session"));
  EXPECT_TRUE(add(b_, 5, kNow - 10)->resumed) << "the same enter, asked again";
  EXPECT_TRUE(add(a_, 2, kNow - 9)->resumed) << "and once more, through another connector";
  EXPECT_TRUE(add(b_, 6, std::nullopt)->resumed) << "from a connector that does not say";
  EXPECT_TRUE(add(a_, 3, kNow - 5'000)->resumed) << "nobody knows better";
  EXPECT_TRUE(add(b_, 7, kNow - 6'000, 1'000)->resumed) << "the client's own numbers go before";
  EXPECT_FALSE(add(a_, 4, kNow, 999).ok());
  EXPECT_FALSE(add(a_, 4, kNow - 6'001, 1'000).ok());
  EXPECT_THAT(Places(), ElementsAre("ann/connector-2/7"));
}

TEST_F(RoomLossTest, WhatWasAskedForBeforeIsKnownWhereverTheRoomGoes) {
  ASSERT_TRUE(room_
                  .Add("ann", {.subscriber = b_, .session = 5, .token = "t", .asked_ms = kNow - 10}, "t",
                       DuplicateUser::kRefuse, kNow)
                  .ok());
  Room there("lobby", kEpoch, limits_, index_);
  there.Adopt(room_.State(kNow), {b_}, kNow);
  Room restored("lobby", kEpoch + 1, limits_, index_);
  restored.Restore(
      Claim(b_, {{.user = "ann", .session = 5, .token = "t", .attempt = 1, .asked_ms = kNow - 10}}),
      DuplicateUser::kRefuse, kNow);
  for (Room* room : {&there, &restored}) {
    const auto add = [&](int64_t asked_ms) {
      return room->Add("ann", {.subscriber = a_, .session = 1, .token = "t", .asked_ms = asked_ms}, "t",
                       DuplicateUser::kRefuse, kNow);
    };
    EXPECT_FALSE(add(kNow - 11).ok());
    EXPECT_TRUE(add(kNow - 9).ok());
  }
}

// Ages grow wrong by the length of each way that they take, so its own place looks as if it was asked for
// later.
TEST_F(RoomLossTest, APlaceThatHasMovedIsItsSessionsWhateverTheAgesSay) {
  ASSERT_TRUE(room_
                  .Add("ann", {.subscriber = b_, .session = 5, .token = "t", .asked_ms = kNow - 10}, "t",
                       DuplicateUser::kRefuse, kNow)
                  .ok());
  RoomState state = room_.State(kNow);
  ASSERT_EQ(state.places.size(), 1u);
  state.places[0].asked_ms = kNow - 5;
  Room there("lobby", kEpoch, limits_, index_);
  const auto handed_over = std::make_shared<FakeSubscriber>(99, b_->connector());
  there.Adopt(state, {handed_over}, kNow);
  RoomClaim claim =
      Claim(b_, {{.user = "ann", .session = 5, .token = "t", .attempt = 1, .asked_ms = kNow - 10}});
  claim.epoch = kEpoch;
  EXPECT_THAT(there.Restore(claim, DuplicateUser::kRefuse, kNow).replaced, IsEmpty());
}

TEST_F(RoomLossTest, TheRoomCountsForAClientThatDoesNot) {
  EXPECT_EQ(Add("ann", a_, 1, 0, "t")->attempt, 1u);
  EXPECT_EQ(Add("ann", b_, 1, 0, "t")->attempt, 2u);
  EXPECT_EQ(Add("ann", b_, 1, 0, "t")->attempt, 2u) << "the same place";
  EXPECT_EQ(Add("ann", a_, 2, 500, "t")->attempt, 500u);
  EXPECT_EQ(Add("ann", b_, 2, 0, "t")->attempt, 501u);
}

// The older session's connector has not heard of its end: whom the lost chat server did not get to tell.
TEST_F(RoomLossTest, OfTwoSessionsWithOneTokenTheLaterGetsThePlaceBack) {
  const RestoredPlace older{.user = "ann", .session = 1, .token = "t", .attempt = 3};
  const RestoredPlace later{.user = "ann", .session = 8, .token = "t", .attempt = 4};
  EXPECT_THAT(Restore(Claim(a_, {older})).replaced, IsEmpty());
  EXPECT_THAT(Restore(Claim(b_, {later})).replaced, IsEmpty());
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("replaced ann/1"));
  EXPECT_THAT(Places(), ElementsAre("ann/connector-2/8"));
  EXPECT_THAT(Restore(Claim(a_, {older})).replaced, ElementsAre(0u));
  EXPECT_THAT(Places(), ElementsAre("ann/connector-2/8"));
  EXPECT_THAT(b_->Take(), IsEmpty());
}

TEST_F(RoomLossTest, WhichSessionIsTheLaterMovesWithTheRoom) {
  ASSERT_TRUE(Add("ann", b_, 5, 200, "t").ok());
  Room there("lobby", kEpoch, limits_, index_);
  there.Adopt(room_.State(kNow), {b_}, kNow);
  EXPECT_FALSE(there
                   .Add("ann", {.subscriber = a_, .session = 1, .token = "t", .attempt = 199}, "t",
                        DuplicateUser::kRefuse, kNow)
                   .ok());
}

TEST_F(RoomLossTest, WhoIsNotBackWhenTheGraceIsOverHasLeft) {
  Restore(Claim(a_, {{"ann", 1, "ta"}}, {"ann", "bob", "cat", "dan"}));
  Restore(Claim(b_, {{"bob", 1, "tb"}}, {"dan", "eve"}));
  room_.Expire(kNow + limits_.grace_ms - 1);
  EXPECT_THAT(a_->Take(), IsEmpty());
  EXPECT_TRUE(room_.expires());
  room_.Expire(kNow + limits_.grace_ms);
  std::vector<std::string> left;
  for (const EventPtr& event : a_->Take()) {
    EXPECT_EQ(event->kind, Event::Kind::kLeft);
    left.push_back(event->user);
  }
  EXPECT_THAT(left, UnorderedElementsAre("cat", "dan", "eve"));
  room_.Expire(kNow + 10 * limits_.grace_ms);
  EXPECT_THAT(a_->Take(), IsEmpty()) << "once";
}

TEST_F(RoomLossTest, WhoIsAwaitedAndComesInsteadIsNoNewsToThoseWhoShowIt) {
  Restore(Claim(a_, {{"ann", 1, "ta"}}, {"ann", "bob", "cat"}));
  ASSERT_TRUE(Add("bob", b_, 1).ok());
  EXPECT_THAT(a_->Take(), IsEmpty());
  // Bob does not know of cat, whom ann shows.
  ASSERT_TRUE(Add("cat", b_, 2).ok());
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("left cat@1", "joined cat@2"));
  room_.Expire(kNow + limits_.grace_ms);
  EXPECT_THAT(a_->Take(), IsEmpty());
}

TEST_F(RoomLossTest, WhoIsAwaitedIsSoWhereverTheRoomGoes) {
  Restore(Claim(a_, {{"ann", 1, "ta"}}, {"bob"}));
  constexpr int64_t kOtherClock = 5'000'000;
  Room there("lobby", kEpoch, limits_, index_);
  there.Adopt(room_.State(kNow + 1000), {a_}, kOtherClock);
  there.Expire(kOtherClock + limits_.grace_ms - 1001);
  EXPECT_THAT(a_->Take(), IsEmpty());
  there.Expire(kOtherClock + limits_.grace_ms - 1000);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("left bob@1"));
}

TEST(AwaitedUsersTest, IsBounded) {
  AwaitedUsers awaited;
  const std::string name(64, 'n');
  for (size_t i = 0; i < 2 * AwaitedUsers::kMostBytes / name.size(); ++i)
    awaited.Insert(fmt::format("{}{}", name, i), 10);
  EXPECT_LE(awaited.users().size() * name.size(), AwaitedUsers::kMostBytes);
  EXPECT_TRUE(awaited.Erase(name + "0"));
  EXPECT_FALSE(awaited.Erase(name + "0"));
  EXPECT_THAT(awaited.TakeLate(9), IsEmpty());
  EXPECT_FALSE(awaited.TakeLate(10).empty());
  EXPECT_TRUE(awaited.empty());
}

}  // namespace
}  // namespace hubbub::chat
