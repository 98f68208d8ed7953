#include "chat/cluster/slot_table.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Of = SlotTable::Standing::Of;
using State = SlotRecord::State;

constexpr int kSlots = 64;
constexpr uint64_t kA = 11;
constexpr uint64_t kB = 22;
constexpr uint64_t kC = 33;

// Chat server "a", as it sees the store.
class SlotTableTest : public ::testing::Test {
 protected:
  SlotTableTest() {
    view_.meta.slots = kSlots;
    for (int i = 0; i < kSlots; ++i) view_.slots.push_back({.slot = i});
    AddServer(kA, "a");
    AddServer(kB, "b");
    table_.BeginAnew(kA);
    table_.SetListed({"a", "b", "c"});
  }
  void AddServer(uint64_t incarnation, const std::string& id) {
    view_.servers.push_back({.incarnation = incarnation, .id = id, .address = id + ":1"});
  }
  StoredServer& Server(uint64_t incarnation) {
    for (StoredServer& server : view_.servers) {
      if (server.incarnation == incarnation) return server;
    }
    ADD_FAILURE() << "no server " << incarnation;
    return view_.servers.front();
  }
  // The store gives these slots to `owner`.
  std::vector<SlotGeneration> Give(uint64_t owner, const std::vector<int>& slots) {
    std::vector<SlotGeneration> given;
    for (const int i : slots) {
      StoredSlot& slot = view_.slots[static_cast<size_t>(i)];
      slot.owner = owner;
      given.push_back({.slot = i, .generation = ++slot.generation});
    }
    return given;
  }
  std::vector<int> All() const {
    std::vector<int> all;
    for (int i = 0; i < kSlots; ++i) all.push_back(i);
    return all;
  }
  // "a" has claimed what it wants, and the others have what they want.
  void Settle() {
    table_.SetView(view_);
    const std::vector<int> wanted = table_.Wanted();
    table_.Claimed(Give(kA, wanted));
    std::vector<int> others;
    for (const int i : All()) {
      if (std::find(wanted.begin(), wanted.end(), i) == wanted.end()) others.push_back(i);
    }
    Give(kB, others);
    table_.SetView(view_);
  }
  static std::string RoomIn(int slot) {
    for (int i = 0;; ++i) {
      std::string room = "room" + std::to_string(i);
      if (SlotOf(room, kSlots) == slot) return room;
    }
  }
  SlotTable::Standing In(int slot) const { return table_.StandingOf(RoomIn(slot)); }
  bool IsOpen(int slot) const { return In(slot).of == Of::kSelf && In(slot).state == State::kOpen; }
  // A slot of this run.
  int SlotOfRun(uint64_t incarnation) const {
    for (const StoredSlot& slot : view_.slots) {
      if (slot.owner == incarnation) return slot.slot;
    }
    return -1;
  }

  StoreView view_;
  SlotTable table_{"a"};
};

TEST_F(SlotTableTest, BeforeTheStoreIsReadNothingIsKnown) {
  EXPECT_EQ(table_.StandingOf("lobby").of, Of::kUnknown);
  EXPECT_THAT(table_.Wanted(), IsEmpty());
}

TEST_F(SlotTableTest, SlotsOfNobodyAreSharedOutAmongThoseThatLive) {
  table_.SetView(view_);
  const std::vector<int> ours = table_.Wanted();
  SlotTable of_b("b");
  of_b.BeginAnew(kB);
  of_b.SetView(view_);
  const std::vector<int> theirs = of_b.Wanted();
  std::set<int> both(ours.begin(), ours.end());
  both.insert(theirs.begin(), theirs.end());
  EXPECT_EQ(both.size(), static_cast<size_t>(kSlots));
  EXPECT_EQ(ours.size() + theirs.size(), static_cast<size_t>(kSlots)) << "none is wanted twice";
  EXPECT_GT(ours.size(), 16u);
  EXPECT_GT(theirs.size(), 16u);
}

TEST_F(SlotTableTest, ARoomIsMadeOnlyInASlotThatIsClaimed) {
  table_.SetView(view_);
  const int slot = table_.Wanted().front();
  EXPECT_EQ(In(slot).of, Of::kNobody) << "not yet its own";
  table_.Claimed(Give(kA, {slot}));
  EXPECT_TRUE(IsOpen(slot));
}

TEST_F(SlotTableTest, TheOwnerIsNamed) {
  Settle();
  const SlotTable::Standing standing = In(SlotOfRun(kB));
  EXPECT_EQ(standing.of, Of::kOther);
  EXPECT_EQ(standing.owner, Server(kB));
}

TEST_F(SlotTableTest, TheSlotsOfAServerThatIsGoneAreClaimedAndTheirRoomsRestoredFirst) {
  Settle();
  const int slot = SlotOfRun(kB);
  Server(kB).gone = true;
  const std::vector<StoredServer> gone = table_.NewlyGone(view_);
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].incarnation, kB);
  table_.SetView(view_);
  EXPECT_THAT(table_.NewlyGone(view_), IsEmpty()) << "told once";
  ASSERT_THAT(table_.WantedFrom(), SizeIs(1));
  EXPECT_FALSE(table_.AllClaimed());
  table_.Claimed(Give(kA, table_.Wanted()));
  EXPECT_TRUE(table_.AllClaimed());
  EXPECT_EQ(table_.owned(), kSlots);
  EXPECT_EQ(In(slot).state, State::kRestoring);
  EXPECT_EQ(In(slot).lost, "b");
  table_.Restored({"b"});
  EXPECT_FALSE(IsOpen(slot)) << "it still is";
  table_.Restored({});
  EXPECT_TRUE(IsOpen(slot));
}

TEST_F(SlotTableTest, ARunThatIsListedNoMoreIsGoneToo) {
  Settle();
  Server(kB).gone = true;
  std::vector<int> theirs;
  for (const StoredSlot& slot : view_.slots) {
    if (slot.owner == kB) theirs.push_back(slot.slot);
  }
  AddServer(kC, "c");
  Give(kC, theirs);
  std::erase_if(view_.servers, [](const StoredServer& server) { return server.incarnation == kB; });
  const std::vector<StoredServer> gone = table_.NewlyGone(view_);
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].id, "b");
  table_.SetView(view_);
  EXPECT_FALSE(table_.Lives(kB));
}

TEST_F(SlotTableTest, AClaimWhoseAnswerWasLostIsSeenInTheView) {
  Settle();
  const int slot = SlotOfRun(kB);
  Server(kB).gone = true;
  table_.SetView(view_);
  Give(kA, {slot});
  table_.SetView(view_);
  EXPECT_EQ(In(slot).state, State::kRestoring) << "its rooms are to be restored all the same";
  table_.Restored({});
  EXPECT_TRUE(IsOpen(slot));
}

TEST_F(SlotTableTest, AHandOverWhoseAnswerWasLostStaysClosedUntilItsRoomsAreThere) {
  Settle();
  const int slot = SlotOfRun(kB);
  const auto taken = Give(kA, {slot});
  table_.SetView(view_);
  EXPECT_EQ(In(slot).of, Of::kSelf);
  EXPECT_EQ(In(slot).state, State::kClosed);
  table_.TakenOver(taken);
  table_.Open(taken);
  EXPECT_TRUE(IsOpen(slot));
}

TEST_F(SlotTableTest, SlotsThatOthersHaveTakenAreNews) {
  Settle();
  const int slot = SlotOfRun(kA);
  Give(kB, {slot});
  EXPECT_THAT(table_.SetView(view_).lost, ElementsAre(slot));
  EXPECT_THAT(table_.SetView(view_).lost, IsEmpty()) << "told once";
  EXPECT_EQ(table_.OwnerOf(slot), "b");
  EXPECT_EQ(In(slot).owner.id, "b");
}

TEST_F(SlotTableTest, AViewThatIsOlderThanAHandOverChangesNothing) {
  Settle();
  const StoreView before = view_;
  const int slot = SlotOfRun(kA);
  ASSERT_THAT(table_.Close({slot}), SizeIs(1));
  table_.Given(Give(kB, {slot}), kB);
  EXPECT_THAT(table_.SetView(before).lost, IsEmpty());
  EXPECT_EQ(table_.OwnerOf(slot), "b");
}

TEST_F(SlotTableTest, ANewServerIsGivenItsShare) {
  Settle();
  EXPECT_THAT(table_.ToGive(), IsEmpty());
  EXPECT_TRUE(table_.Settled());
  AddServer(kC, "c");
  table_.SetView(view_);
  const auto to_give = table_.ToGive();
  ASSERT_THAT(to_give, SizeIs(1));
  const std::vector<int> slots = to_give.at("c");
  EXPECT_GT(slots.size(), 3u);
  EXPECT_FALSE(table_.Settled());
  const auto closed = table_.Close(slots);
  EXPECT_EQ(closed.size(), slots.size());
  EXPECT_THAT(table_.ToGive(), IsEmpty()) << "they are on their way";
  EXPECT_THAT(table_.Close(slots), IsEmpty()) << "closed once";
  EXPECT_EQ(In(slots[0]).state, State::kClosed);
  EXPECT_FALSE(table_.Settled());
  table_.Open({closed[0]});
  EXPECT_TRUE(IsOpen(slots[0])) << "it was not taken";
  table_.Given(Give(kC, {slots.begin() + 1, slots.end()}), kC);
  EXPECT_THAT(table_.ToGive().at("c"), ElementsAre(slots[0]));
}

TEST_F(SlotTableTest, AServerThatConnectorsCannotFindYetIsGivenNothing) {
  Settle();
  table_.SetListed({"a", "b"});
  AddServer(kC, "c");
  table_.SetView(view_);
  EXPECT_THAT(table_.ToGive(), IsEmpty());
  EXPECT_TRUE(table_.Settled());
  table_.SetDraining(true);
  EXPECT_TRUE(table_.ToGive().contains("c")) << "better there than nowhere";
  table_.SetDraining(false);
  table_.SetListed({"a", "b", "c"});
  EXPECT_TRUE(table_.ToGive().contains("c"));
}

TEST_F(SlotTableTest, AServerThatDrainsGivesAllAndClaimsNothing) {
  Settle();
  table_.SetDraining(true);
  EXPECT_EQ(table_.ToGive().at("b").size(), static_cast<size_t>(table_.owned()));
  Server(kB).gone = true;
  Server(kA).draining = true;
  table_.SetView(view_);
  EXPECT_THAT(table_.Wanted(), IsEmpty());
  EXPECT_THAT(table_.ToGive(), IsEmpty()) << "there is nobody to give them to";
  EXPECT_TRUE(table_.Settled());
  table_.SetDraining(false);
  EXPECT_THAT(table_.Wanted(), SizeIs(kSlots - table_.owned()));
}

TEST_F(SlotTableTest, ASecondProcessWithThisIdIsNews) {
  table_.SetView(view_);
  AddServer(kC, "a");
  Server(kA).gone = true;
  EXPECT_TRUE(table_.SetView(view_).namesake);
}

TEST_F(SlotTableTest, ANewRunHoldsNothingUntilItClaims) {
  Settle();
  const int slot = SlotOfRun(kA);
  Server(kA).gone = true;
  table_.BeginAnew(0);
  EXPECT_EQ(table_.owned(), 0);
  AddServer(44, "a");
  table_.BeginAnew(44);
  EXPECT_THAT(table_.NewlyGone(view_), SizeIs(1)) << "the connectors remember what the run before had";
  EXPECT_FALSE(table_.SetView(view_).namesake);
  table_.Claimed(Give(44, {slot}));
  EXPECT_EQ(In(slot).state, State::kRestoring);
  table_.Restored({});
  EXPECT_TRUE(IsOpen(slot));
}

TEST(SlotTableAloneTest, AServerWithoutAStoreHasAll) {
  SlotTable table("a");
  table.BeginAnew(kA);
  table.OwnAll(/*restoring=*/false);
  EXPECT_EQ(table.owned(), kDefaultSlots);
  EXPECT_EQ(table.StandingOf("lobby").of, Of::kSelf);
  EXPECT_EQ(table.StandingOf("lobby").state, State::kOpen);
}

TEST(SlotTableAloneTest, AfterARestartItsRoomsAreRestoredFirst) {
  SlotTable table("a");
  table.BeginAnew(kA);
  table.OwnAll(/*restoring=*/true);
  EXPECT_EQ(table.StandingOf("lobby").of, Of::kSelf);
  EXPECT_EQ(table.StandingOf("lobby").state, State::kRestoring);
  table.Restored({"a"});
  EXPECT_EQ(table.StandingOf("lobby").state, State::kRestoring);
  table.Restored({});
  EXPECT_EQ(table.StandingOf("lobby").state, State::kOpen);
}

}  // namespace
}  // namespace hubbub::chat
