#include "chat/cluster/hand_over.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/cluster/room_admission.h"
#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kSlots = 64;
constexpr uint64_t kA = 11;
constexpr uint64_t kB = 22;

// Chat server "a", whose slots should all be b's by now, because it drains.
class HandOverTest : public ::testing::Test {
 protected:
  HandOverTest() {
    view_.servers = {{.incarnation = kA, .id = "a"}, {.incarnation = kB, .id = "b"}};
    for (int i = 0; i < kSlots; ++i) view_.slots.push_back({.slot = i, .owner = kA, .generation = 1});
    slots_.BeginAnew(kA);
    slots_.SetView(view_);
    Enter("lobby", "ann");
    (void)rooms_.Send("lobby", "ann", kEverybody, "hi", "n-1");
    subscriber_->Take();
    slots_.SetDraining(true);
  }
  void Enter(const std::string& room, const std::string& user) {
    ASSERT_TRUE(rooms_.Add(room, user, {subscriber_, 1, "token"}, "").ok());
  }
  void Tick() { hand_over_.Tick(now_ms_ += 50); }
  // Answers the oldest call.
  void Answer(const absl::StatusOr<HandOver::Taken>& answer) {
    auto done = std::move(calls_.front().second);
    calls_.erase(calls_.begin());
    done(answer);
  }
  // What the other has if it has claimed all of the batch.
  static HandOver::Taken All(const HandOver::Batch& batch) {
    HandOver::Taken taken = batch.slots;
    for (SlotGeneration& slot : taken) ++slot.generation;
    return taken;
  }
  void AnswerAllTaken() { Answer(All(*calls_.front().first)); }
  absl::Status Send() { return rooms_.Send("lobby", "ann", kEverybody, "hello?").status(); }

  std::shared_ptr<FakeSubscriber> subscriber_ = std::make_shared<FakeSubscriber>(1);
  StoreView view_;
  SlotTable slots_{"a"};
  RoomAdmission admission_{"a", slots_};
  RoomTable rooms_{{}, &admission_};
  std::vector<std::pair<HandOver::BatchPtr, HandOver::Done>> calls_;
  std::vector<std::pair<std::vector<SlotGeneration>, HandOver::Done>> kept_;
  int64_t now_ms_ = SteadyNowMs();
  HandOver hand_over_{rooms_, slots_,
                      [this](const std::string& server, const HandOver::BatchPtr& batch, auto done) {
                        EXPECT_EQ(server, "b");
                        calls_.emplace_back(batch, std::move(done));
                      },
                      [this](std::vector<SlotGeneration> slots, auto done) {
                        kept_.emplace_back(std::move(slots), std::move(done));
                      }};
};

TEST_F(HandOverTest, ASlotThatIsTakenIsForgottenWithItsRoomsAndItsConnectorsAreTold) {
  Tick();
  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_THAT(calls_[0].first->slots, SizeIs(kSlots)) << "those without rooms go in the same call";
  const RoomState& state = calls_[0].first->rooms.at(0);
  EXPECT_EQ(state.room, "lobby");
  EXPECT_EQ(state.offset, 2u);
  EXPECT_EQ(state.places.at(0).token, "token");
  EXPECT_EQ(state.recent_events.size(), 2u);
  EXPECT_EQ(state.recent_ids.at(0).id, "n-1");
  EXPECT_TRUE(absl::IsAborted(Send())) << "it is on its way";
  EXPECT_FALSE(slots_.Settled());
  AnswerAllTaken();
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("moved to b"));
  EXPECT_EQ(rooms_.rooms(), 0u);
  EXPECT_EQ(rooms_.recent_bytes(), 0u);
  EXPECT_TRUE(absl::IsFailedPrecondition(Send())) << "it is b's";
  EXPECT_TRUE(slots_.Settled());
  Tick();
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(HandOverTest, ASlotThatIsRefusedStaysAsItIs) {
  Tick();
  Answer(absl::FailedPreconditionError("b drains too"));
  EXPECT_TRUE(Send().ok());
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("ann to *: hello?@3"));
  Tick();
  EXPECT_THAT(calls_, IsEmpty()) << "after a pause";
  now_ms_ += 1'000;
  Tick();
  EXPECT_THAT(calls_, SizeIs(1)) << "it is tried again";
  EXPECT_EQ(calls_[0].first->number, 2u) << "what it is by now, not what was refused";
}

TEST_F(HandOverTest, WhatTheOtherHasNotClaimedStaysWhileTheRestGoes) {
  Tick();
  HandOver::Taken taken = All(*calls_[0].first);
  const int slot = SlotOf("lobby", kSlots);
  std::erase_if(taken, [&](const SlotGeneration& s) { return s.slot == slot; });
  Answer(taken);
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(slots_.owned(), 1);
}

TEST_F(HandOverTest, WhileNoAnswerComesTheSameIsSentAgain) {
  Tick();
  const HandOver::BatchPtr first = calls_[0].first;
  Answer(absl::DeadlineExceededError("no answer"));
  EXPECT_THAT(calls_, IsEmpty());
  Tick();
  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(calls_[0].first, first);
  EXPECT_TRUE(absl::IsAborted(Send()));
  AnswerAllTaken();
  EXPECT_EQ(rooms_.rooms(), 0u);
}

TEST_F(HandOverTest, WithoutAnAnswerTheSlotsAreTakenBackInTheStore) {
  Tick();
  Answer(absl::UnavailableError("no answer"));
  now_ms_ += 2'000;
  Tick();
  ASSERT_THAT(kept_, SizeIs(1));
  EXPECT_THAT(kept_[0].first, SizeIs(kSlots));
  EXPECT_TRUE(absl::IsAborted(Send())) << "the other may have been faster";
  std::vector<SlotGeneration> kept = kept_[0].first;
  for (SlotGeneration& slot : kept) ++slot.generation;
  kept_[0].second(kept);
  EXPECT_TRUE(Send().ok()) << "nobody can take it by that offer any more";
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("ann to *: hello?@3")) << "in the same life";
}

TEST_F(HandOverTest, WhatTheOtherHasClaimedBeforeItWasTakenBackIsTheOthers) {
  Tick();
  Answer(absl::UnavailableError("no answer"));
  now_ms_ += 2'000;
  Tick();
  kept_.at(0).second(std::vector<SlotGeneration>{});
  EXPECT_THAT(subscriber_->TakeTexts(), ElementsAre("moved to b"));
  EXPECT_EQ(rooms_.rooms(), 0u);
  EXPECT_EQ(slots_.owned(), 0);
}

TEST_F(HandOverTest, ANoToARepeatedOfferProvesNothing) {
  Tick();
  Answer(absl::UnavailableError("no answer"));
  Tick();
  Answer(absl::FailedPreconditionError("b drains by now"));
  EXPECT_TRUE(absl::IsAborted(Send())) << "b may have claimed the slot when it was asked first";
  now_ms_ += 1'000;
  Tick();
  EXPECT_THAT(kept_, SizeIs(1));
}

TEST_F(HandOverTest, WhileTheStoreDoesNotAnswerTheSlotsStayClosed) {
  Tick();
  Answer(absl::UnavailableError("no answer"));
  now_ms_ += 2'000;
  Tick();
  kept_.at(0).second(absl::UnavailableError("the store is away"));
  EXPECT_TRUE(absl::IsAborted(Send()));
  now_ms_ += 1'000;
  Tick();
  EXPECT_THAT(kept_, SizeIs(2)) << "asked again";
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(HandOverTest, WhenTheOtherIsGoneTheSlotsAreTakenBackAtOnce) {
  Tick();
  Answer(absl::UnavailableError("no answer"));
  view_.servers[1].gone = true;
  slots_.SetView(view_);
  Tick();
  EXPECT_THAT(kept_, SizeIs(1));
}

TEST_F(HandOverTest, WhatIsForgottenIsNotGivenAway) {
  Tick();
  hand_over_.Forget();
  rooms_.Clear();
  slots_.BeginAnew(0);
  AnswerAllTaken();
  EXPECT_THAT(subscriber_->TakeTexts(), IsEmpty());
  Tick();
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(HandOverTest, SlotsWithRoomsGoAFewAtATime) {
  for (int i = 0; i < 400; ++i) Enter("room" + std::to_string(i), "ann");
  subscriber_->Take();
  size_t rooms = 0;
  Tick();
  for (int batches = 0; batches < 20 && !calls_.empty(); ++batches) {
    EXPECT_EQ(calls_[0].first->number, static_cast<uint64_t>(batches) + 1);
    rooms += calls_[0].first->rooms.size();
    AnswerAllTaken();
  }
  EXPECT_EQ(rooms, 401u);
  EXPECT_EQ(rooms_.rooms(), 0u);
  EXPECT_TRUE(slots_.Settled());
}

TEST_F(HandOverTest, StopStartsNothingAndWaitsForWhatIsUnderWay) {
  Tick();
  EXPECT_FALSE(hand_over_.Stop());
  AnswerAllTaken();
  EXPECT_TRUE(hand_over_.Stop());
  Tick();
  EXPECT_THAT(calls_, IsEmpty());
}

}  // namespace
}  // namespace hubbub::chat
