// Rooms of a RoomTable that move, come, and begin again.
#include <memory>
#include <string>
#include <vector>

#include "chat/rooms/room_table.h"
#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNowMs = 1000;

class RoomTableMoveTest : public ::testing::Test {
 protected:
  static RoomTable::Options Options() {
    RoomTable::Options options;
    options.now_ms = [] { return kNowMs; };
    return options;
  }
  static RoomClaim Claim(const SubscriberPtr& at, const std::string& user, uint64_t epoch, uint64_t offset) {
    return {.subscriber = at,
            .epoch = epoch,
            .offset = offset,
            .places = {{user, 1, "token of " + user}},
            .recent_events = {}};
  }
  void Enter(RoomTable& table, const std::string& user, const std::shared_ptr<FakeSubscriber>& at) {
    ASSERT_TRUE(table.Add("lobby", user, {at, 1, "token of " + user}, "").ok());
  }

  // What the connector of one_ has at another chat server.
  std::shared_ptr<FakeSubscriber> Renewed() const {
    return std::make_shared<FakeSubscriber>(2, one_->connector());
  }

  const std::shared_ptr<FakeSubscriber> one_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> two_ = std::make_shared<FakeSubscriber>(2);
  RoomTable table_{Options()};
  RoomTable other_{Options()};
};

TEST_F(RoomTableMoveTest, AFrozenRoomTakesNothingAndThawsAsItWas) {
  Enter(table_, "ann", one_);
  ASSERT_TRUE(table_.moves().Freeze("lobby").has_value());
  EXPECT_FALSE(table_.moves().Freeze("lobby").has_value()) << "it is frozen already";
  EXPECT_TRUE(absl::IsAborted(table_.Add("lobby", "bob", {two_, 1, ""}, "").status()));
  EXPECT_TRUE(absl::IsAborted(table_.Send("lobby", "ann", kEverybody, "hi").status()));
  EXPECT_TRUE(absl::IsAborted(table_.Kick("lobby", "ann").status()));
  EXPECT_TRUE(absl::IsAborted(table_.KickPlace("lobby", "ann", {1, 1}).status()));
  EXPECT_TRUE(absl::IsAborted(table_.Get("lobby").status()));
  EXPECT_TRUE(absl::IsAborted(table_.Restore("lobby", Claim(two_, "bob", 7, 0)).status()));
  one_->Take();
  table_.moves().Thaw("lobby");
  EXPECT_EQ(table_.Send("lobby", "ann", kEverybody, "hi")->offset, 2u);
  EXPECT_THAT(one_->TakeTexts(), ElementsAre("ann to *: hi@2"));
}

TEST_F(RoomTableMoveTest, WhatIsDeletedWhileARoomIsFrozenIsToBeDeletedAgain) {
  Enter(table_, "ann", one_);
  ASSERT_TRUE(table_.Send("lobby", "ann", kEverybody, "hi").ok());
  ASSERT_TRUE(table_.moves().Freeze("lobby").has_value());
  EXPECT_FALSE(table_.ForgetEvents("lobby", 2));
  table_.moves().Thaw("lobby");
  EXPECT_TRUE(table_.ForgetEvents("lobby", 2));
  EXPECT_TRUE(table_.ForgetEvents("elsewhere", 2));
}

TEST_F(RoomTableMoveTest, WhoLeavesWhileARoomIsFrozenLeavesWhenItThaws) {
  Enter(table_, "ann", one_);
  Enter(table_, "bob", two_);
  ASSERT_TRUE(table_.moves().Freeze("lobby").has_value());
  EXPECT_TRUE(absl::IsAborted(table_.KickPlace("lobby", "bob", {2, 1}).status())) << "to be asked again";
  table_.moves().Thaw("lobby");
  EXPECT_EQ(*table_.KickPlace("lobby", "bob", {2, 1}), 3u);
  EXPECT_EQ(table_.Get("lobby")->total, 1u);
}

TEST_F(RoomTableMoveTest, APlaceThatMovedSpeaksUnderItsNewLeaseAlone) {
  Enter(table_, "ann", one_);
  const auto state = table_.moves().Freeze("lobby");
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(absl::IsAborted(table_.Send("lobby", "ann", kEverybody, "hi", "", {1, 1}).status()));
  ASSERT_TRUE(other_.moves().Import(*state, {std::make_shared<FakeSubscriber>(9, one_->connector())}).ok());
  table_.moves().Moved("lobby", "b");
  EXPECT_TRUE(absl::IsPermissionDenied(other_.Send("lobby", "ann", kEverybody, "hi", "", {2, 1}).status()))
      << "not before it is restored";
  ASSERT_TRUE(other_.Restore("lobby", Claim(Renewed(), "ann", state->epoch, 1)).ok());
  EXPECT_TRUE(other_.Send("lobby", "ann", kEverybody, "hi", "", {2, 1}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(table_.Send("lobby", "ann", kEverybody, "hi", "", {1, 1}).status()));
  EXPECT_EQ(table_.rooms(), 0u) << "no room is made for a place that is not there";
}

TEST_F(RoomTableMoveTest, ALeaseThatEndsWhileARoomIsFrozenEndsItsPlacesWhenItThaws) {
  Enter(table_, "ann", one_);
  Enter(table_, "bob", two_);
  ASSERT_TRUE(table_.moves().Freeze("lobby").has_value());
  one_->End();
  EXPECT_EQ(table_.DropSubscriber(1, 100), 0u);
  two_->Take();
  table_.moves().Thaw("lobby");
  EXPECT_THAT(two_->TakeTexts(), ElementsAre("left ann@3"));
  EXPECT_EQ(table_.Get("lobby")->members.size(), 1u);
}

TEST_F(RoomTableMoveTest, AMovedRoomGoesOnElsewhereInTheSameLife) {
  Enter(table_, "ann", one_);
  ASSERT_TRUE(table_.Send("lobby", "ann", kEverybody, "hi", "n-1").ok());
  const RoomState state = *table_.moves().Freeze("lobby");
  ASSERT_TRUE(other_.moves().Import(state, {one_}).ok());
  ASSERT_TRUE(other_.moves().Import(state, {one_}).ok()) << "the answer to the first was lost";
  EXPECT_EQ(other_.rooms(), 1u);
  one_->Take();
  table_.moves().Moved("lobby", "b");
  EXPECT_THAT(one_->TakeTexts(), ElementsAre("moved to b"));
  EXPECT_EQ(table_.rooms(), 0u);
  EXPECT_EQ(table_.recent_bytes(), 0u);
  EXPECT_EQ(table_.counts().places, 0u);
  EXPECT_EQ(table_.counts().given, 1u);
  EXPECT_EQ(other_.counts().places, 1u);
  EXPECT_EQ(other_.counts().taken, 1u) << "the second time it was there";
  EXPECT_EQ(other_.counts().messages, 0u) << "they were counted where they were said";
  EXPECT_TRUE(other_.Send("lobby", "ann", kEverybody, "hi", "n-1")->repeated);

  const auto again = Renewed();
  const auto restored = other_.Restore("lobby", Claim(again, "ann", state.epoch, 1));
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->epoch, state.epoch);
  ASSERT_TRUE(restored->missed.has_value());
  EXPECT_EQ(restored->missed->size(), 1u);
  EXPECT_EQ(restored->missed->at(0)->content, "hi");
  EXPECT_EQ(other_.Send("lobby", "ann", kEverybody, "more")->offset, 3u);
  EXPECT_EQ(again->TakeTexts().back(), "ann to *: more@3");
}

// Found by the chaos test: an old copy of a room came late, and took the place of the newer one.
TEST_F(RoomTableMoveTest, ARoomThatComesDoesNotTakeThePlaceOfTheOneThatIsHere) {
  Enter(table_, "ann", one_);
  ASSERT_TRUE(table_.Send("lobby", "ann", kEverybody, "old").ok());
  const RoomState old = *table_.moves().Freeze("lobby");
  Enter(other_, "bob", two_);
  const uint64_t epoch = other_.Get("lobby")->epoch;
  two_->Take();
  ASSERT_TRUE(other_.moves().Import(old, {one_}).ok());
  EXPECT_EQ(other_.Get("lobby")->epoch, epoch);
  EXPECT_THAT(two_->Take(), IsEmpty());
  const auto restored = other_.Restore("lobby", Claim(one_, "ann", old.epoch, 1));
  ASSERT_TRUE(restored.ok());
  ASSERT_TRUE(restored->missed.has_value());
  EXPECT_EQ(restored->missed->at(0)->content, "old") << "what she missed of her own life";
  EXPECT_EQ(restored->epoch, epoch);
  EXPECT_THAT(two_->TakeTexts(), ElementsAre("joined ann@2")) << "bob did not know her";
}

TEST_F(RoomTableMoveTest, ALostRoomBeginsAnewWithAllItsMembersAndNoNoise) {
  auto event = std::make_shared<Event>();
  event->epoch = 7;
  event->offset = 4;
  event->user = "ann";
  event->target = kEverybody;
  event->content = "last words";
  RoomClaim first = Claim(one_, "ann", 7, 4);
  first.recent_events = {event};
  const auto results = table_.Recover("lobby", {first, Claim(two_, "bob", 7, 3)});
  ASSERT_TRUE(results.ok());
  for (const RestoreResult& result : *results) {
    EXPECT_THAT(result.users, ElementsAre("ann", "bob"));
    ASSERT_TRUE(result.missed.has_value());
  }
  EXPECT_THAT(*results->at(0).missed, IsEmpty());
  EXPECT_THAT(*results->at(1).missed, ElementsAre(event));
  EXPECT_THAT(one_->Take(), IsEmpty());
  EXPECT_THAT(two_->Take(), IsEmpty());
  // One that tells late is taken in the same way.
  const auto third = std::make_shared<FakeSubscriber>(3);
  const auto late = table_.Recover("lobby", {Claim(third, "cid", 7, 3)});
  EXPECT_THAT(*late->at(0).missed, ElementsAre(event));
  EXPECT_THAT(one_->Take(), IsEmpty());
  EXPECT_EQ(table_.Get("lobby")->members.size(), 3u);
  EXPECT_EQ(table_.counts().places, 3u);
  EXPECT_EQ(table_.counts().restored, 1u);
}

TEST_F(RoomTableMoveTest, WhatIsKeptOfAnEarlierLifeIsForgottenWithItsRoom) {
  auto event = std::make_shared<Event>();
  event->epoch = 7;
  event->offset = 4;
  event->content = "last words";
  RoomClaim claim = Claim(one_, "ann", 7, 4);
  claim.recent_events = {event};
  claim.places.clear();  // Its session has gone, and nothing has happened since.
  ASSERT_TRUE(table_.Recover("lobby", {claim}).ok());
  EXPECT_GT(table_.recent_bytes(), 0u);
  constexpr int64_t kLongAfterMs = kNowMs + 3'600'000;
  table_.Sweep(kLongAfterMs);
  table_.Sweep(kLongAfterMs);
  EXPECT_EQ(table_.rooms(), 0u);
  EXPECT_EQ(table_.recent_bytes(), 0u);
}

TEST_F(RoomTableMoveTest, ARoomOfAnotherIsNotTakenUnlessItIsHereAlready) {
  Enter(table_, "ann", one_);
  const RoomState state = *table_.moves().Freeze("lobby");
  class Third final : public Ownership {
   public:
    absl::Status MayMake(std::string_view) const override { return absl::OkStatus(); }
    absl::Status MayTake(std::string_view) const override { return answer; }
    absl::Status MayRecover(std::string_view) const override { return absl::OkStatus(); }
    absl::Status answer = absl::AbortedError("it is c's");
  };
  Third ownership;
  RoomTable third(Options(), &ownership);
  EXPECT_TRUE(absl::IsAborted(third.moves().Import(state, {one_})));
  EXPECT_EQ(third.rooms(), 0u);
  ownership.answer = absl::OkStatus();
  EXPECT_TRUE(third.moves().Import(state, {one_}).ok());
  ownership.answer = absl::AbortedError("it is c's");
  EXPECT_TRUE(third.moves().Import(state, {one_}).ok());
}

TEST_F(RoomTableMoveTest, PlacesAreCountedOnceWhateverBecomesOfAFrozenRoom) {
  Enter(table_, "ann", one_);
  Enter(table_, "bob", two_);
  ASSERT_TRUE(table_.moves().Freeze("lobby").has_value());
  EXPECT_EQ(table_.counts().places, 2u);
  table_.moves().Thaw("lobby");
  EXPECT_EQ(table_.counts().places, 2u);
  ASSERT_TRUE(table_.Kick("lobby", "ann").ok());
  EXPECT_EQ(table_.counts().places, 1u);
}

TEST_F(RoomTableMoveTest, ARoomThatIsLostIsForgottenAndItsConnectorsAreTold) {
  Enter(table_, "ann", one_);
  one_->Take();
  table_.moves().Lost("lobby", "b");
  EXPECT_THAT(one_->TakeTexts(), ElementsAre("moved to b"));
  EXPECT_EQ(table_.rooms(), 0u);
  EXPECT_EQ(table_.counts().places, 0u);
  EXPECT_EQ(table_.recent_bytes(), 0u);
  EXPECT_EQ(table_.DropSubscriber(1, 100), 0u) << "the index does not name it any more";
  table_.moves().Lost("lobby", "b");
  EXPECT_THAT(one_->TakeTexts(), IsEmpty());
}

TEST_F(RoomTableMoveTest, RoomsAreFoundByTheirSlots) {
  for (const int slots : {64, 1024, 100}) {
    RoomTable table(Options());
    for (int i = 0; i < 300; ++i)
      ASSERT_TRUE(table.Add("room" + std::to_string(i), "ann", {one_, 1, ""}, "").ok());
    const std::vector<size_t> counts = table.CountBySlot(slots);
    ASSERT_EQ(counts.size(), static_cast<size_t>(slots));
    size_t rooms = 0;
    for (int slot = 0; slot < slots; ++slot) {
      const std::vector<std::string> names = table.InSlot(slot, slots);
      EXPECT_EQ(names.size(), counts[static_cast<size_t>(slot)]);
      for (const std::string& name : names) EXPECT_EQ(SlotOf(name, slots), slot);
      rooms += names.size();
    }
    EXPECT_EQ(rooms, 300u) << slots << " slots";
  }
}

TEST_F(RoomTableMoveTest, AnEndedLeaseGetsNothingBack) {
  one_->End();
  EXPECT_TRUE(absl::IsFailedPrecondition(table_.Restore("lobby", Claim(one_, "ann", 7, 0)).status()));
  const auto results = table_.Recover("lobby", {Claim(one_, "ann", 7, 0), Claim(two_, "bob", 7, 0)});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(table_.Get("lobby")->members.size(), 1u);
}

TEST_F(RoomTableMoveTest, ClearLeavesNothingBehind) {
  Enter(table_, "ann", one_);
  ASSERT_TRUE(table_.Add("attic", "ann", {one_, 1, ""}, "").ok());
  ASSERT_TRUE(table_.moves().Freeze("attic").has_value());
  one_->Take();
  table_.Clear();
  EXPECT_EQ(table_.rooms(), 0u);
  EXPECT_EQ(table_.recent_bytes(), 0u);
  EXPECT_EQ(table_.counts().places, 0u);
  EXPECT_EQ(table_.DropSubscriber(1, 10), 0u);
  EXPECT_THAT(one_->Take(), IsEmpty());
}

}  // namespace
}  // namespace hubbub::chat
