// Of every store: once a claim is committed, no older owner adds a row to that slot.
#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "chat/store/testing/store_contract.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContractFence, AClaimBetweenTwoAppendsStopsTheOlderOwner) {
  ASSERT_THAT(Get(store().Claim(kA, {1, 2}, 0)), SizeIs(2));
  AppendBatch batch;
  batch.slots = {{1, 1}, {2, 1}};
  batch.events = {{1, Event("one", 1)}, {2, Event("two", 1)}};
  EXPECT_THAT(Get(store().Append(batch)).slots, testing::UnorderedElementsAre(1, 2));
  ASSERT_THAT(Get(other().TakeOver(kB, {{1, kA, 1}}, 0)), SizeIs(1));
  batch.events = {{1, Event("one", 2)}, {2, Event("two", 2)}, {1, Event("new", 1)}};
  const AppendAnswer answer = Get(store().Append(batch));
  EXPECT_THAT(answer.slots, ElementsAre(2)) << "other slots of the batch go in";
  EXPECT_THAT(answer.added, ElementsAre(false, true, false));
  EXPECT_EQ(Head(store(), "one").head, 1);
  EXPECT_EQ(Head(store(), "two").head, 2);
  EXPECT_EQ(Head(store(), "new").head, 0);
  EXPECT_THAT(Get(store().Rooms({1}, "", 9)), SizeIs(1)) << "no room is made by who is fenced";
}

TEST_P(StoreContractFence, AGenerationOfTheFutureIsFencedToo) {
  ASSERT_EQ(Claim(store(), kA, 1), 1);
  EXPECT_FALSE(Append(store(), {1, 2}, {Event("one", 1)}));
  EXPECT_FALSE(Append(store(), {1, 0}, {Event("one", 1)}));
  EXPECT_FALSE(Append(store(), {9, 1}, {Event("one", 1)}));
  EXPECT_EQ(Head(store(), "one").head, 0);
}

TEST_P(StoreContractFence, EventsWhoseSlotIsNotInTheBatchArePassedOver) {
  ASSERT_THAT(Get(store().Claim(kA, {1, 2}, 0)), SizeIs(2));
  AppendBatch batch;
  batch.slots = {{1, 1}};
  batch.events = {{1, Event("one", 1)}, {2, Event("two", 1)}};
  EXPECT_THAT(Get(store().Append(batch)).added, ElementsAre(true, false));
}

TEST_P(StoreContractFence, AfterKeepingOnlyTheNewGenerationWrites) {
  ASSERT_EQ(Claim(store(), kA, 1), 1);
  EXPECT_TRUE(Append(store(), {1, 1}, {Event("one", 1)}));
  ASSERT_THAT(Get(store().Keep(kA, {{1, 1}})), SizeIs(1));
  EXPECT_FALSE(Append(store(), {1, 1}, {Event("one", 2)}));
  EXPECT_TRUE(Append(store(), {1, 2}, {Event("one", 2)}));
  EXPECT_EQ(Log(store(), "one").back().generation, 2);
}

TEST_P(StoreContractFence, ABatchRepeatedAfterAClaimLeavesTheNewOwnersRows) {
  ASSERT_EQ(Claim(store(), kA, 1), 1);
  const AppendBatch batch = Batch({1, 1}, {Event("one", 1, "A")});
  Get(store().Append(batch));
  MakeGone(kA);
  ASSERT_EQ(Claim(other(), kB, 1), 2);
  EXPECT_TRUE(Append(other(), {1, 2}, {Event("one", 2, "B")}));
  const AppendAnswer answer = Get(store().Append(batch));
  EXPECT_THAT(answer.slots, IsEmpty());
  EXPECT_THAT(answer.added, ElementsAre(false));
  CheckLog("one");
  EXPECT_THAT(Log(store(), "one"), SizeIs(2));
}

// Two owners made on purpose: A appends twice; B claims, reads the head, appends. In all orders.
TEST_P(StoreContractFence, TwoOwnersInAllOrders) {
  // The steps of B in the order of all five; true: one of B's.
  std::vector<bool> order = {false, false, true, true, true};
  int slot = 0;
  do {
    const std::string room = fmt::format("room {}", slot);
    ASSERT_EQ(Claim(store(), kA, slot), 1);
    int64_t at_a = 0, at_b = -1;
    int step_of_b = 0;
    std::vector<std::string> acknowledged;
    for (const bool of_b : order) {
      if (!of_b) {
        const std::string content = fmt::format("A {}", at_a + 1);
        if (!Append(store(), {slot, 1}, {Event(room, at_a + 1, content)})) continue;
        ++at_a;
        EXPECT_EQ(step_of_b, 0) << "A was acknowledged after the claim";
        acknowledged.push_back(content);
      } else if (++step_of_b == 1) {
        ASSERT_THAT(Get(other().TakeOver(kB, {{slot, kA, 1}}, 0)), SizeIs(1));
      } else if (step_of_b == 2) {
        at_b = Head(other(), room).head;
        EXPECT_EQ(at_b, at_a) << "the head is not what was acknowledged";
      } else {
        const AppendAnswer answer = Get(other().Append(Batch({slot, 2}, {Event(room, at_b + 1, "B")})));
        EXPECT_THAT(answer.added, ElementsAre(true));
        acknowledged.push_back("B");
      }
    }
    CheckLog(room);
    std::vector<std::string> logged;
    for (const LoggedEvent& event : Log(store(), room)) logged.push_back(event.content);
    EXPECT_EQ(logged, acknowledged);
    ++slot;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(slot, 10);
}

// Two threads, each a row of runs that take the slot from the other's last run and append until they are
// fenced.
TEST_P(StoreContractFence, TwoOwnersInThreads) {
  constexpr int kRuns = 12;
  std::mutex mutex;
  std::map<int64_t, std::string> acknowledged;  // By offset.
  const auto live = [&](int thread, Store& connection) {
    for (int run = 0; run < kRuns; ++run) {
      const uint64_t me = 1000 + static_cast<uint64_t>(thread * kRuns + run);
      Ok(connection.Register(Server(me, fmt::format("thread {}", thread))));
      // Takes it as who has it stops answering: by its beat.
      const uint64_t owner = Get(connection.Read()).slots.at(1).owner;
      if (owner != 0) {
        EXPECT_TRUE(Get(connection.MarkGone(owner, 0)));
      }
      const int64_t generation = Claim(connection, me, 1);
      if (generation == 0) continue;  // The other one was faster.
      int64_t head = Head(connection, "one").head;
      // The last run of a thread may have nobody to fence it.
      for (int i = 0; i < 50; ++i) {
        const std::string content = fmt::format("{} {}", generation, i);
        LoggedEvent event = Event("one", head + 1, content);
        const AppendAnswer answer = Get(connection.Append(Batch({1, generation}, {std::move(event)})));
        if (answer.slots.empty()) break;
        EXPECT_THAT(answer.added, ElementsAre(true)) << "the slot held, so the row was free";
        ++head;
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(acknowledged.emplace(head, content).second)
            << "offset " << head << " was acknowledged twice";
      }
    }
  };
  std::thread thread([&] { live(1, other()); });
  live(0, store());
  thread.join();
  CheckLog("one");
  const std::vector<LoggedEvent> log = Log(store(), "one");
  EXPECT_EQ(log.size(), acknowledged.size());
  for (const LoggedEvent& event : log) EXPECT_EQ(event.content, acknowledged[event.offset]) << event.offset;
  EXPECT_THAT(log, testing::Not(IsEmpty()));
}

// What an owner of many slots appends while another one takes them away, one after the other.
TEST_P(StoreContractFence, ALargeBatchAgainstClaims) {
  std::vector<int> slots(64);
  for (int i = 0; i < 64; ++i) slots[static_cast<size_t>(i)] = i;
  AppendBatch batch;
  batch.slots = Get(store().Claim(kA, slots, 0));
  ASSERT_THAT(batch.slots, SizeIs(64));
  std::map<int, int64_t> head_of_b;
  std::thread taker([&] {
    for (int slot : slots) {
      ASSERT_THAT(Get(other().TakeOver(kB, {{slot, kA, 1}}, 0)), SizeIs(1));
      head_of_b[slot] = Head(other(), fmt::format("room {}", slot)).head;
    }
  });
  std::map<int, int64_t> head_of_a;
  for (int round = 0; round < 1000 && !batch.slots.empty(); ++round) {
    batch.events.clear();
    for (const SlotGeneration& slot : batch.slots) {
      batch.events.push_back({slot.slot, Event(fmt::format("room {}", slot.slot), head_of_a[slot.slot] + 1)});
    }
    const AppendAnswer answer = Get(store().Append(batch));
    for (int slot : answer.slots) ++head_of_a[slot];
    std::erase_if(batch.slots, [&](const SlotGeneration& slot) {
      return std::find(answer.slots.begin(), answer.slots.end(), slot.slot) == answer.slots.end();
    });
    if (HasFailure()) break;
  }
  taker.join();
  for (int slot : slots) {
    EXPECT_EQ(head_of_a[slot], head_of_b[slot]) << "the new owner read another head than the old one had";
    CheckLog(fmt::format("room {}", slot));
  }
}

}  // namespace
}  // namespace hubbub::chat
