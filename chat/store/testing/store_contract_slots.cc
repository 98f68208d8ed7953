// Of every store: who owns which slot.
#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include "chat/store/testing/store_contract.h"

namespace hubbub::chat {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<int> SlotsFrom(int first, int count) {
  std::vector<int> slots(static_cast<size_t>(count));
  std::iota(slots.begin(), slots.end(), first);
  return slots;
}

TEST_P(StoreContract, NobodysSlotsAreClaimed) {
  Register(kA);
  EXPECT_THAT(Get(store().Claim(kA, {4, 2}, 0)),
              UnorderedElementsAre(SlotGeneration{4, 1}, SlotGeneration{2, 1}));
  EXPECT_EQ(ListedSlot(2), (StoredSlot{2, kA, 1}));
  EXPECT_EQ(ListedSlot(3), (StoredSlot{3, 0, 0}));
  EXPECT_EQ(ListedSlot(4), (StoredSlot{4, kA, 1}));
  EXPECT_THAT(Get(store().Claim(kA, {4}, 0)), IsEmpty()) << "it is the owner's already";
  EXPECT_THAT(Get(store().Claim(kA, {}, 0)), IsEmpty());
}

TEST_P(StoreContract, NumbersThatTheStoreDoesNotHaveArePassedOver) {
  Register(kA);
  EXPECT_THAT(Get(store().Claim(kA, {-1, 1023, 1024, 1 << 30}, 0)),
              UnorderedElementsAre(SlotGeneration{1023, 1}));
}

TEST_P(StoreContract, AllSlotsAreClaimedAtOnce) {
  Register(kA);
  EXPECT_THAT(Get(store().Claim(kA, SlotsFrom(0, 1024), 0)), SizeIs(1024));
}

TEST_P(StoreContract, SlotsOfALivingServerAreNotClaimed) {
  Register(kA);
  Register(kB);
  EXPECT_EQ(Claim(store(), kA, 7), 1);
  EXPECT_EQ(Claim(store(), kB, 7), 0);
  MakeGone(kA);
  EXPECT_EQ(Claim(store(), kB, 7), 2);
  EXPECT_EQ(ListedSlot(7), (StoredSlot{7, kB, 2}));
}

TEST_P(StoreContract, WhoIsGoneOrNotListedGetsNoSlot) {
  EXPECT_EQ(Claim(store(), kA, 7), 0);
  Register(kA);
  Register(kB);
  EXPECT_EQ(Claim(store(), kB, 8), 1);
  MakeGone(kA);
  EXPECT_EQ(Claim(store(), kA, 7), 0);
  EXPECT_THAT(Get(store().TakeOver(kA, {{8, kB, 1}}, 0)), IsEmpty());
  EXPECT_THAT(Get(store().TakeOver(kC, {{8, kB, 1}}, 0)), IsEmpty());
  EXPECT_EQ(ListedSlot(7), (StoredSlot{7, 0, 0}));
  EXPECT_EQ(ListedSlot(8), (StoredSlot{8, kB, 1}));
}

TEST_P(StoreContract, GenerationsAreGreaterThanAnyThatWasHeard) {
  Register(kA);
  Register(kB);
  EXPECT_THAT(Get(store().Claim(kA, {1}, 50)), UnorderedElementsAre(SlotGeneration{1, 51}));
  EXPECT_THAT(Get(store().TakeOver(kB, {{1, kA, 51}}, 70)), UnorderedElementsAre(SlotGeneration{1, 71}));
  MakeGone(kB);
  EXPECT_THAT(Get(store().Claim(kA, {1}, 10)), UnorderedElementsAre(SlotGeneration{1, 72}));
  constexpr int64_t kGreat = int64_t{1} << 53;
  MakeGone(kA);
  Register(kC);
  EXPECT_THAT(Get(store().Claim(kC, {1}, kGreat)), UnorderedElementsAre(SlotGeneration{1, kGreat + 1}));
}

TEST_P(StoreContract, AnOfferIsTakenOnce) {
  Register(kA);
  Register(kB);
  Register(kC);
  EXPECT_THAT(Get(store().Claim(kA, {1, 2, 3}, 0)), SizeIs(3));
  const std::vector<SlotOffer> offers = {{1, kA, 1}, {2, kA, 1}, {3, kA, 2}, {4, kA, 1}, {2000, kA, 1}};
  EXPECT_THAT(Get(store().TakeOver(kB, offers, 0)),
              UnorderedElementsAre(SlotGeneration{1, 2}, SlotGeneration{2, 2}));
  EXPECT_THAT(Get(store().TakeOver(kB, offers, 0)), IsEmpty()) << "Read says what is so";
  EXPECT_THAT(Get(store().TakeOver(kC, offers, 0)), IsEmpty());
  EXPECT_THAT(Get(store().TakeOver(kC, {}, 0)), IsEmpty());
  EXPECT_EQ(ListedSlot(1), (StoredSlot{1, kB, 2}));
  EXPECT_EQ(ListedSlot(2), (StoredSlot{2, kB, 2}));
  EXPECT_EQ(ListedSlot(3), (StoredSlot{3, kA, 1}));
  EXPECT_EQ(ListedSlot(4), (StoredSlot{4, 0, 0}));
}

TEST_P(StoreContract, WhatIsKeptCannotBeTakenByTheOldOffer) {
  Register(kA);
  Register(kB);
  EXPECT_THAT(Get(store().Claim(kA, {1, 2}, 0)), SizeIs(2));
  EXPECT_THAT(Get(store().Keep(kA, {{1, 1}})), UnorderedElementsAre(SlotGeneration{1, 2}));
  EXPECT_THAT(Get(store().TakeOver(kB, {{1, kA, 1}}, 0)), IsEmpty());
  EXPECT_THAT(Get(store().TakeOver(kB, {{2, kA, 1}}, 0)), SizeIs(1));
  EXPECT_THAT(Get(store().Keep(kA, {{2, 1}, {1, 1}, {3, 0}, {-5, 1}})), IsEmpty());
  EXPECT_THAT(Get(store().Keep(kB, {{1, 2}})), IsEmpty()) << "it is not B's";
  EXPECT_THAT(Get(store().Keep(kA, {})), IsEmpty());
  EXPECT_THAT(Get(store().TakeOver(kB, {{1, kA, 2}}, 0)), UnorderedElementsAre(SlotGeneration{1, 3}));
}

TEST_P(StoreContract, ClaimsAtTheSameTimeNeverGiveASlotTwice) {
  constexpr int kServers = 4;
  std::vector<std::vector<SlotGeneration>> got(kServers);
  std::vector<std::thread> threads;
  threads.reserve(kServers);
  for (uint64_t i = 0; i < kServers; ++i) Register(i + 1);
  for (int i = 0; i < kServers; ++i) {
    threads.emplace_back([this, i, &mine = got[static_cast<size_t>(i)]] {
      const auto connection = Another();
      for (int first = 0; first < 1024; first += 64) {
        // Each begins elsewhere, and all want all.
        const auto some =
            Get(connection->Claim(static_cast<uint64_t>(i) + 1, SlotsFrom((first + i * 256) % 1024, 64), 0));
        mine.insert(mine.end(), some.begin(), some.end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const StoreView view = Get(store().Read());
  ASSERT_THAT(view.slots, SizeIs(1024));
  std::set<int> slots;
  size_t count = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    for (const SlotGeneration& slot : got[i]) {
      EXPECT_EQ(view.slots[static_cast<size_t>(slot.slot)], (StoredSlot{slot.slot, i + 1, 1}));
      slots.insert(slot.slot);
      ++count;
    }
  }
  EXPECT_EQ(slots.size(), count) << "a slot was given twice";
  // A claim may have passed over what another one held just then.
  const auto rest = Get(store().Claim(1, SlotsFrom(0, 1024), 0));
  EXPECT_EQ(count + rest.size(), 1024u);
}

TEST_P(StoreContract, OfTakingOverAndKeepingOneWins) {
  Register(kA);
  Register(kB);
  EXPECT_THAT(Get(store().Claim(kA, SlotsFrom(0, 1024), 0)), SizeIs(1024));
  const auto other = Another();
  for (int round = 0; round < 32; ++round) {
    std::vector<SlotOffer> offers;
    std::vector<SlotGeneration> kept;
    for (int slot : SlotsFrom(round * 32, 32)) {
      offers.push_back({slot, kA, 1});
      kept.push_back({slot, 1});
    }
    // The calls name the slots in opposite orders: calls that lock rows in different orders must not
    // deadlock.
    std::reverse(kept.begin(), kept.end());
    std::vector<SlotGeneration> taken;
    std::thread taker([&] { taken = Get(other->TakeOver(kB, offers, 0)); });
    kept = Get(store().Keep(kA, kept));
    taker.join();
    ASSERT_EQ(kept.size() + taken.size(), 32u);
    const StoreView view = Get(store().Read());
    for (const SlotGeneration& slot : kept) {
      EXPECT_EQ(view.slots[static_cast<size_t>(slot.slot)], (StoredSlot{slot.slot, kA, 2}));
    }
    for (const SlotGeneration& slot : taken) {
      EXPECT_EQ(view.slots[static_cast<size_t>(slot.slot)], (StoredSlot{slot.slot, kB, 2}));
    }
  }
}

}  // namespace
}  // namespace hubbub::chat
