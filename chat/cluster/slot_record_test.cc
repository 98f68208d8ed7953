#include "chat/cluster/slot_record.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using State = SlotRecord::State;

constexpr uint64_t kSelf = 11;
constexpr uint64_t kOther = 22;
constexpr uint64_t kThird = 33;
constexpr int64_t kNow = 5;  // The generation at the beginning of each case.

const StoredServer kLiving{.incarnation = kOther, .id = "b"};
const StoredServer kGone{.incarnation = kOther, .id = "b", .gone = true};

// How a slot stands before a change.
SlotRecord Nobodys() {
  SlotRecord slot;
  slot.Give(0, kNow);
  return slot;
}
SlotRecord Others() {
  SlotRecord slot;
  slot.Give(kOther, kNow);
  return slot;
}
SlotRecord Open() {
  SlotRecord slot;
  slot.Claim(kSelf, kNow, "");
  return slot;
}
SlotRecord Restoring() {
  SlotRecord slot = Others();
  slot.Claim(kSelf, kNow, "b");
  return slot;
}
SlotRecord Closed() {
  SlotRecord slot = Open();
  slot.Close(kSelf);
  return slot;
}

struct Case {
  std::string name;
  SlotRecord before;
  std::function<void(SlotRecord&)> change;
  uint64_t owner;
  int64_t generation;
  State state = State::kOpen;  // If it is this server's in the end.
  std::string lost = {};
};

class SlotRecordTest : public ::testing::TestWithParam<Case> {};

TEST_P(SlotRecordTest, Changes) {
  SlotRecord slot = GetParam().before;
  GetParam().change(slot);
  EXPECT_EQ(slot.owner(), GetParam().owner);
  EXPECT_EQ(slot.generation(), GetParam().generation);
  EXPECT_EQ(slot.BelongsTo(kSelf), GetParam().owner == kSelf);
  if (!slot.BelongsTo(kSelf)) return;
  EXPECT_EQ(slot.state(), GetParam().state);
  EXPECT_EQ(slot.lost(), GetParam().lost);
}

std::function<void(SlotRecord&)> Claim(const std::string& lost) {
  return [lost](SlotRecord& slot) { slot.Claim(kSelf, kNow + 1, lost); };
}
void TakeOver(SlotRecord& slot) {
  slot.TakeOver(kSelf, kNow + 1);
}
std::function<void(SlotRecord&)> OpenBy(int64_t generation) {
  return [generation](SlotRecord& slot) { slot.Open(kSelf, generation); };
}
std::function<void(SlotRecord&)> GiveBy(int64_t generation) {
  return [generation](SlotRecord& slot) { slot.Give(kOther, generation); };
}

INSTANTIATE_TEST_SUITE_P(
    All, SlotRecordTest,
    ::testing::Values(
        Case{"NobodysIsClaimedOpen", Nobodys(), Claim(""), kSelf, kNow + 1, State::kOpen},
        Case{"OneOfTheGoneIsClaimedToBeRestored", Others(), Claim("b"), kSelf, kNow + 1, State::kRestoring,
             "b"},
        Case{"AnOpenOneStaysOpenWhenItIsClaimedAgain", Open(), Claim("a"), kSelf, kNow + 1, State::kOpen},
        Case{"ARestoringOneStaysSo", Restoring(), Claim(""), kSelf, kNow + 1, State::kRestoring, "b"},
        Case{"AClosedOneStaysSo", Closed(), Claim(""), kSelf, kNow + 1, State::kClosed},
        Case{"TakenOverIsClosed", Others(), TakeOver, kSelf, kNow + 1, State::kClosed},
        Case{"TakenOverWaitsForNoRestoring", Restoring(), TakeOver, kSelf, kNow + 1, State::kClosed},
        Case{"AClosedOneIsOpened", Closed(), OpenBy(kNow + 1), kSelf, kNow + 1, State::kOpen},
        Case{"OpeningNeverTakesTheGenerationBack", Closed(), OpenBy(kNow - 1), kSelf, kNow, State::kOpen},
        Case{"AnothersIsNotOpened", Others(), OpenBy(kNow + 1), kOther, kNow},
        Case{"AllIsRestored", Restoring(), &SlotRecord::Restored, kSelf, kNow, State::kOpen},
        Case{"AClosedOneIsNotOpenedByThat", Closed(), &SlotRecord::Restored, kSelf, kNow, State::kClosed},
        Case{"AClosedOneIsGiven", Closed(), GiveBy(kNow + 1), kOther, kNow + 1},
        Case{"NotAfterALaterClaim", Open(), GiveBy(kNow - 1), kSelf, kNow, State::kOpen}),
    [](const auto& test) { return test.param.name; });

struct CloseCase {
  std::string name;
  SlotRecord before;
  bool closes;
};

class CloseTest : public ::testing::TestWithParam<CloseCase> {};

TEST_P(CloseTest, OnlyAnOpenSlotOfThisServerIsClosed) {
  SlotRecord slot = GetParam().before;
  EXPECT_EQ(slot.Close(kSelf), GetParam().closes);
  EXPECT_EQ(slot.generation(), kNow);
  EXPECT_FALSE(slot.Close(kSelf)) << "closed once";
}

INSTANTIATE_TEST_SUITE_P(All, CloseTest,
                         ::testing::Values(CloseCase{"Open", Open(), true},
                                           CloseCase{"Restoring", Restoring(), false},
                                           CloseCase{"Closed", Closed(), false},
                                           CloseCase{"Others", Others(), false},
                                           CloseCase{"Nobodys", Nobodys(), false}),
                         [](const auto& test) { return test.param.name; });

struct SeeCase {
  std::string name;
  SlotRecord before;
  StoredSlot row;
  const StoredServer* owner;  // As the view lists it.
  bool lost_here;
  State state = State::kOpen;  // If it is this server's in the end.
};

class SeeTest : public ::testing::TestWithParam<SeeCase> {};

TEST_P(SeeTest, AViewCountsUnlessMoreIsKnown) {
  SlotRecord slot = GetParam().before;
  EXPECT_EQ(slot.See(GetParam().row, GetParam().owner, kSelf), GetParam().lost_here);
  const bool is_old = GetParam().row.generation < kNow;
  EXPECT_EQ(slot.owner(), is_old ? GetParam().before.owner() : GetParam().row.owner);
  EXPECT_EQ(slot.generation(), is_old ? kNow : GetParam().row.generation);
  if (slot.BelongsTo(kSelf)) {
    EXPECT_EQ(slot.state(), GetParam().state);
  }
}

constexpr StoredSlot Row(uint64_t owner, int64_t generation) {
  return {.slot = 0, .owner = owner, .generation = generation};
}

INSTANTIATE_TEST_SUITE_P(
    All, SeeTest,
    ::testing::Values(
        SeeCase{"Unchanged", Open(), Row(kSelf, kNow), nullptr, false, State::kOpen},
        SeeCase{"RestoringGoesOn", Restoring(), Row(kSelf, kNow), nullptr, false, State::kRestoring},
        SeeCase{"ClosedStaysClosed", Closed(), Row(kSelf, kNow), nullptr, false, State::kClosed},
        SeeCase{"ALostAnswerOfAClaimOfNobodys", Nobodys(), Row(kSelf, kNow + 1), nullptr, false,
                State::kOpen},
        SeeCase{"ALostAnswerOfAClaimFromTheGone", Others(), Row(kSelf, kNow + 1), &kGone, false,
                State::kRestoring},
        SeeCase{"ALostAnswerOfAHandOver", Others(), Row(kSelf, kNow + 1), &kLiving, false, State::kClosed},
        SeeCase{"ToOneThatLives", Others(), Row(kThird, kNow + 1), &kLiving, false},
        SeeCase{"TakenWhileItWasOpen", Open(), Row(kOther, kNow + 1), nullptr, true},
        SeeCase{"TakenWhileItWasRestored", Restoring(), Row(kOther, kNow + 1), nullptr, true},
        SeeCase{"TakenWhileAHandOverWasUnderWay", Closed(), Row(kOther, kNow + 1), nullptr, false},
        SeeCase{"AnOldView", Open(), Row(kOther, kNow - 1), nullptr, false, State::kOpen},
        SeeCase{"AnOldViewOfWhatWasGiven", Others(), Row(kSelf, kNow - 1), &kLiving, false}),
    [](const auto& test) { return test.param.name; });

TEST(SlotRecordNoRunTest, WhoHasNoRunHasNothing) {
  SlotRecord slot;
  EXPECT_FALSE(slot.BelongsTo(0));
  EXPECT_FALSE(slot.See(Row(0, 1), nullptr, 0));
  EXPECT_FALSE(slot.BelongsTo(0));
}

}  // namespace
}  // namespace hubbub::chat
