#include "chat/cluster/slot_changes.h"

#include <memory>
#include <string>
#include <vector>

#include "chat/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kSelf = 7;
constexpr uint64_t kOther = 8;
constexpr int64_t kBefore = 5;  // The generation of all slots at first.

// Slots 0 to 3: this run has 0 and 1, the other 2 and 3.
class SlotChangesTest : public ::testing::Test {
 protected:
  SlotChangesTest() {
    database_->Change([](StoreView& view) {
      view.servers = {{.incarnation = kSelf, .id = "a"}, {.incarnation = kOther, .id = "b"}};
      for (StoredSlot& slot : view.slots)
        slot = {.slot = slot.slot, .owner = slot.slot < 2 ? kSelf : kOther, .generation = kBefore};
    });
    database_->Before([this](std::string_view method) {
      calls_.emplace_back(method);
      return Next(before_);
    });
    database_->After([this](std::string_view) { return Next(after_); });
  }
  static absl::Status Next(std::vector<absl::Status>& answers) {
    if (answers.empty()) return absl::OkStatus();
    const absl::Status next = answers.front();
    answers.erase(answers.begin());
    return next;
  }
  // Of slots that are as said, and of one that is not.
  absl::StatusOr<SlotChanges::Slots> TakeOver() {
    return changes_.TakeOver(kSelf, {{.slot = 2, .owner = kOther, .generation = kBefore},
                                     {.slot = 3, .owner = kOther, .generation = kBefore - 1}});
  }
  absl::StatusOr<SlotChanges::Slots> Keep() {
    return changes_.Keep(kSelf, {{.slot = 0, .generation = kBefore}, {.slot = 3, .generation = kBefore}});
  }

  static absl::Status Lost() { return absl::UnknownError("the answer is lost"); }
  static absl::Status Away() { return absl::UnavailableError("the store is away"); }

  std::shared_ptr<FakeDatabase> database_ = std::make_shared<FakeDatabase>(4);
  // What becomes of the next calls, before and after they are done.
  std::vector<absl::Status> before_;
  std::vector<absl::Status> after_;
  std::vector<std::string> calls_;
  int waits_ = 0;
  int longest_ = 10;  // So often it waits, then it ends.
  FakeStore store_{database_};
  SlotChanges changes_{store_, [this] { return waits_++ < longest_; }};
};

TEST_F(SlotChangesTest, WhatTheStoreAnswersIsPassedOn) {
  EXPECT_THAT(*TakeOver(), ElementsAre(SlotGeneration{2, kBefore + 1}));
  EXPECT_THAT(*Keep(), ElementsAre(SlotGeneration{0, kBefore + 1}));
  EXPECT_THAT(calls_, ElementsAre("TakeOver", "Keep"));
  EXPECT_EQ(waits_, 0);
}

TEST_F(SlotChangesTest, AnErrorThatSaysThatNothingHappenedIsPassedOn) {
  before_ = {Away()};
  EXPECT_EQ(TakeOver().status(), Away());
  before_ = {Away()};
  EXPECT_EQ(Keep().status(), Away());
  EXPECT_EQ(waits_, 0);
}

TEST_F(SlotChangesTest, WhatWasDoneThoughTheAnswerWasLostIsLookedUp) {
  after_ = {Lost()};
  EXPECT_THAT(*TakeOver(), ElementsAre(SlotGeneration{2, kBefore + 1}));
  EXPECT_THAT(calls_, ElementsAre("TakeOver", "TakeOver", "Read"));
  calls_.clear();
  after_ = {Lost()};
  EXPECT_THAT(*Keep(), ElementsAre(SlotGeneration{0, kBefore + 1}));
  EXPECT_THAT(calls_, ElementsAre("Keep", "Keep", "Read"));
  EXPECT_EQ(waits_, 2);
}

TEST_F(SlotChangesTest, WhatOnlyTheRepetitionDidIsLookedUpToo) {
  before_ = {Lost()};
  EXPECT_THAT(*TakeOver(), ElementsAre(SlotGeneration{2, kBefore + 1}));
}

TEST_F(SlotChangesTest, WhatAnotherHasGotMeanwhileIsNotItsOwn) {
  database_->Change(
      [](StoreView& view) { view.slots[2] = {.slot = 2, .owner = 9, .generation = kBefore + 1}; });
  before_ = {Lost()};
  EXPECT_THAT(*TakeOver(), IsEmpty());
  database_->Change(
      [](StoreView& view) { view.slots[0] = {.slot = 0, .owner = 9, .generation = kBefore + 1}; });
  before_ = {Lost()};
  EXPECT_THAT(*Keep(), IsEmpty());
}

TEST_F(SlotChangesTest, ItAsksUntilTheAnswerAndTheViewAreThere) {
  // The call, the call again, then it and the view, then both.
  before_ = {Lost(), Lost(), Away(), Away()};
  EXPECT_THAT(*TakeOver(), ElementsAre(SlotGeneration{2, kBefore + 1}));
  EXPECT_THAT(calls_, ElementsAre("TakeOver", "TakeOver", "TakeOver", "Read", "TakeOver", "Read"));
  EXPECT_EQ(waits_, 3);
}

TEST_F(SlotChangesTest, ItEndsWhenItMayWaitNoLonger) {
  longest_ = 2;
  before_.assign(100, Lost());
  EXPECT_TRUE(absl::IsCancelled(Keep().status()));
  EXPECT_THAT(calls_, ElementsAre("Keep", "Keep", "Keep"));
}

}  // namespace
}  // namespace hubbub::chat
