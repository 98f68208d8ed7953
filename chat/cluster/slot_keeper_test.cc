#include "chat/cluster/slot_keeper.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "chat/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/wait.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kSlots = 64;
constexpr std::chrono::seconds kDeadline{20};

// One chat server of a test.
struct TestKeeper {
  TestKeeper(std::string server_id, std::shared_ptr<FakeDatabase> shared)
      : id(std::move(server_id)), database(std::move(shared)), table(id) {}
  absl::Status Start() { return keeper.Start(id + ":1"); }

  std::string id;
  std::shared_ptr<FakeDatabase> database;
  SlotTable table;
  std::atomic<int> gone = 0;
  std::atomic<int> lost = 0;
  std::atomic<int> replaced = 0;
  std::atomic<int> renewed = 0;
  std::atomic<bool> silent = false;  // Opening the store waits until it is not.
  absl::Status open_status = absl::OkStatus();
  SlotKeeper keeper{
      id,
      [this]() -> absl::StatusOr<std::unique_ptr<Store>> {
        EXPECT_TRUE(WaitUntil([this] { return !silent; }, kDeadline));
        if (!open_status.ok()) return open_status;
        return std::make_unique<FakeStore>(database);
      },
      table,
      {.on_gone = [this](const StoredServer&) { ++gone; },
       .on_lost = [this](const std::vector<int>& slots) { lost += static_cast<int>(slots.size()); },
       .on_replaced = [this] { ++replaced; },
       .on_renewed = [this](int64_t) { ++renewed; }}};
};

class SlotKeeperTest : public ::testing::Test {
 protected:
  std::vector<int> SlotsOf(uint64_t incarnation) const {
    std::vector<int> slots;
    for (const StoredSlot& slot : database_->view().slots) {
      if (slot.owner == incarnation) slots.push_back(slot.slot);
    }
    return slots;
  }
  // Another run, which is not a process of this test.
  void AddServer(uint64_t incarnation, const std::string& id) {
    database_->Change([&](StoreView& view) {
      view.servers.push_back({.incarnation = incarnation, .id = id, .address = id + ":1"});
    });
  }
  StoredServer Server(uint64_t incarnation) const {
    for (const StoredServer& server : database_->view().servers) {
      if (server.incarnation == incarnation) return server;
    }
    return {};
  }

  std::shared_ptr<FakeDatabase> database_ = std::make_shared<FakeDatabase>(kSlots);
};

TEST_F(SlotKeeperTest, AServerAloneClaimsAllAtItsStart) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  EXPECT_THAT(SlotsOf(a.table.incarnation()), SizeIs(kSlots));
  EXPECT_EQ(a.table.owned(), kSlots);
  EXPECT_EQ(Server(a.table.incarnation()).address, "a:1");
  const int64_t beat = Server(a.table.incarnation()).beat;
  EXPECT_TRUE(WaitUntil([&] { return Server(a.table.incarnation()).beat > beat; }, kDeadline)) << "it beats";
}

TEST_F(SlotKeeperTest, WhoLeavesIsGoneAtOnceAndItsSlotsAreTaken) {
  auto a = std::make_unique<TestKeeper>("a", database_);
  ASSERT_TRUE(a->Start().ok());
  TestKeeper b("b", database_);
  ASSERT_TRUE(b.Start().ok());
  EXPECT_EQ(b.table.owned(), 0) << "a has them";
  const uint64_t run = a->table.incarnation();
  a->keeper.Leave();
  EXPECT_TRUE(Server(run).gone);
  b.keeper.Wake();
  EXPECT_TRUE(WaitUntil([&] { return b.table.owned() == kSlots; }, kDeadline));
  EXPECT_GE(b.gone, 1);
  EXPECT_EQ(b.keeper.counts().servers_lost, 1u);
}

TEST_F(SlotKeeperTest, AStoreThatIsSilentDoesNotHoldUpTheEnd) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  database_->Before([&](std::string_view method) {
    if (method != "Leave") return absl::OkStatus();
    EXPECT_TRUE(WaitUntil([&] { return database_->interrupted(); }, kDeadline));
    return absl::CancelledError("interrupted");
  });
  a.keeper.Leave();
  EXPECT_TRUE(database_->interrupted());
}

TEST_F(SlotKeeperTest, AStoreThatCannotBeUsedIsAnErrorAndOneThatIsAwayIsWaitedFor) {
  TestKeeper a("a", database_);
  a.open_status = absl::FailedPreconditionError("store.db is no store of Hubbub's");
  EXPECT_THAT(std::string(a.Start().message()), HasSubstr("no store of Hubbub's"));

  TestKeeper b("b", database_);
  std::atomic<bool> away = true;
  database_->Before([&](std::string_view) {
    return away ? absl::UnavailableError("connection refused") : absl::OkStatus();
  });
  ASSERT_TRUE(b.Start().ok());
  EXPECT_EQ(b.table.owned(), 0);
  away = false;
  EXPECT_TRUE(WaitUntil([&] { return b.table.owned() == kSlots; }, kDeadline));
  b.keeper.Stop();
}

TEST_F(SlotKeeperTest, AStoreThatIsSilentDoesNotHoldUpTheStart) {
  TestKeeper a("a", database_);
  a.silent = true;
  ASSERT_TRUE(a.Start().ok());
  EXPECT_EQ(a.table.owned(), 0);
  a.silent = false;
  EXPECT_TRUE(WaitUntil([&] { return a.table.owned() == kSlots; }, kDeadline));
  EXPECT_EQ(a.keeper.failure(), std::nullopt);

  TestKeeper b("b", database_);
  b.silent = true;
  b.open_status = absl::FailedPreconditionError("store.db is no store of Hubbub's");
  ASSERT_TRUE(b.Start().ok());
  b.silent = false;
  EXPECT_TRUE(WaitUntil([&] { return b.keeper.failure().has_value(); }, kDeadline));
  EXPECT_THAT(std::string(b.keeper.failure()->message()), HasSubstr("no store of Hubbub's"));
}

TEST_F(SlotKeeperTest, WhileTheStoreIsAwayTheSlotsStay) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  std::atomic<int> refused = 0;
  database_->Before([&](std::string_view) {
    ++refused;
    return absl::UnavailableError("connection refused");
  });
  EXPECT_TRUE(WaitUntil([&] { return refused >= 3; }, kDeadline));
  EXPECT_EQ(a.table.owned(), kSlots);
  EXPECT_EQ(a.replaced, 0);
  a.keeper.Stop();
}

TEST_F(SlotKeeperTest, WhoWasMarkedGoneForgetsAndBeginsAnew) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  const uint64_t run = a.table.incarnation();
  AddServer(7, "b");
  database_->Change([&](StoreView& view) {
    for (StoredServer& server : view.servers) server.gone |= server.incarnation == run;
    for (StoredSlot& slot : view.slots)
      slot = {.slot = slot.slot, .owner = 7, .generation = slot.generation + 1};
  });
  EXPECT_TRUE(
      WaitUntil([&] { return a.replaced == 1 && Server(a.table.incarnation()).id == "a"; }, kDeadline));
  EXPECT_NE(a.table.incarnation(), run);
  EXPECT_EQ(a.lost, kSlots);
  EXPECT_FALSE(a.keeper.failure());
}

TEST_F(SlotKeeperTest, WhenAnotherProcessHasItsIdItGoesOnNoMore) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  TestKeeper twin("a", database_);
  ASSERT_TRUE(twin.Start().ok());
  EXPECT_TRUE(WaitUntil([&] { return a.keeper.failure().has_value(); }, kDeadline));
  EXPECT_THAT(std::string(a.keeper.failure()->message()), HasSubstr("give one of them another --id"));
  EXPECT_TRUE(WaitUntil([&] { return a.replaced == 1; }, kDeadline)) << "what it held is the other's";
  EXPECT_FALSE(twin.keeper.failure());
}

TEST_F(SlotKeeperTest, TwoRefusalsMakeAServerGoneIfItsBeatStoodStill) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  AddServer(7, "b");
  a.keeper.Wake();
  EXPECT_TRUE(WaitUntil([&] { return a.table.Lives(7); }, kDeadline));
  EXPECT_TRUE(WaitUntil(
      [&] {
        a.keeper.Refused(7);
        return Server(7).gone;
      },
      kDeadline));
  EXPECT_TRUE(WaitUntil([&] { return !a.table.Lives(7); }, kDeadline));
  // It is back: another run, whom the same firewall refuses.
  AddServer(8, "b");
  a.keeper.Wake();
  EXPECT_TRUE(WaitUntil([&] { return a.table.Lives(8); }, kDeadline));
  std::atomic<int> reads = 0;
  database_->Before([&](std::string_view method) {
    if (method == "Read") ++reads;
    EXPECT_NE(method, "MarkGone");
    return absl::OkStatus();
  });
  EXPECT_TRUE(WaitUntil(
      [&] {
        a.keeper.Refused(8);
        return reads > 20;
      },
      kDeadline));
  EXPECT_FALSE(Server(8).gone);
  a.keeper.Stop();
}

TEST_F(SlotKeeperTest, WhoDrainsIsNotJudgedByRefusals) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  AddServer(7, "b");
  database_->Change([](StoreView& view) { view.servers.back().draining = true; });
  std::atomic<int> reads = 0;
  database_->Before([&](std::string_view method) {
    if (method == "Read") ++reads;
    EXPECT_NE(method, "MarkGone");
    return absl::OkStatus();
  });
  a.keeper.Wake();
  EXPECT_TRUE(WaitUntil(
      [&] {
        a.keeper.Refused(7);
        return reads > 20;
      },
      kDeadline));
  a.keeper.Stop();
}

TEST_F(SlotKeeperTest, ATakeOverWhoseAnswerWasLostIsLookedUp) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  AddServer(7, "b");
  database_->Change([](StoreView& view) {
    view.slots[3] = {.slot = 3, .owner = 7, .generation = 5};
    view.slots[4] = {.slot = 4, .owner = 9, .generation = 5};
  });
  std::atomic<int> asked = 0;
  database_->After([&](std::string_view method) {
    const bool lose = method == "TakeOver" && ++asked == 1;
    return lose ? absl::UnknownError("the connection was lost") : absl::OkStatus();
  });
  std::atomic<bool> done = false;
  a.keeper.TakeOver({{.slot = 3, .owner = 7, .generation = 5}, {.slot = 4, .owner = 7, .generation = 5}},
                    [&](const absl::StatusOr<SlotKeeper::Slots>& got) {
                      ASSERT_TRUE(got.ok()) << got.status();
                      ASSERT_THAT(*got, SizeIs(1));
                      EXPECT_EQ((*got)[0].slot, 3);
                      EXPECT_EQ((*got)[0].generation, 6);
                      done = true;
                    });
  EXPECT_TRUE(WaitUntil([&] { return done.load(); }, kDeadline));
  EXPECT_EQ(asked, 2);
  a.keeper.Stop();
}

TEST_F(SlotKeeperTest, KeepTellsWhetherTheOtherWasFaster) {
  TestKeeper a("a", database_);
  ASSERT_TRUE(a.Start().ok());
  AddServer(7, "b");
  const StoreView view = database_->view();
  database_->Change([](StoreView& tables) {
    tables.slots[3].owner = 7;
    ++tables.slots[3].generation;
  });
  std::atomic<bool> done = false;
  a.keeper.Keep({{.slot = 2, .generation = view.slots[2].generation},
                 {.slot = 3, .generation = view.slots[3].generation}},
                [&](const absl::StatusOr<SlotKeeper::Slots>& kept) {
                  ASSERT_TRUE(kept.ok());
                  ASSERT_THAT(*kept, SizeIs(1));
                  EXPECT_EQ((*kept)[0].slot, 2);
                  done = true;
                });
  EXPECT_TRUE(WaitUntil([&] { return done.load(); }, kDeadline));
}

TEST_F(SlotKeeperTest, WhatIsAskedWhenItStopsIsAnswered) {
  TestKeeper a("a", database_);
  bool answered = false;
  a.keeper.Keep({}, [&](const absl::StatusOr<SlotKeeper::Slots>& kept) {
    EXPECT_TRUE(absl::IsCancelled(kept.status()));
    answered = true;
  });
  EXPECT_TRUE(answered) << "it was never started";
}

TEST_F(SlotKeeperTest, ThreeThatStartAtOnceShareTheSlotsWithoutATwiceGivenOne) {
  TestKeeper a("a", database_);
  TestKeeper b("b", database_);
  TestKeeper c("c", database_);
  {
    std::vector<std::jthread> starts;
    for (TestKeeper* const keeper : {&a, &b, &c})
      starts.emplace_back([keeper] { EXPECT_TRUE(keeper->Start().ok()); });
  }
  EXPECT_TRUE(
      WaitUntil([&] { return a.table.owned() + b.table.owned() + c.table.owned() == kSlots; }, kDeadline));
}

}  // namespace
}  // namespace hubbub::chat
