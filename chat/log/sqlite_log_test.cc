#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "chat/log/testing/log_test_base.h"
#include "chat/store/open_store.h"
#include "chat/store/testing/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;

// A chat server's rooms over a SQLite file that others may have open too.
class Owner {
 public:
  Owner(const std::string& path, uint64_t incarnation) : incarnation_(incarnation) {
    options_.url = "sqlite:" + path;
    options_.slots = FakeSlots::kSlots;
    store_ = Open();
    EXPECT_TRUE(store_
                    ->Register({.incarnation = incarnation,
                                .id = "chat-" + std::to_string(incarnation),
                                .address = "127.0.0.1:1",
                                .history = "durable"})
                    .ok());
    std::vector<int> all;
    for (int slot = 0; slot < FakeSlots::kSlots; ++slot) all.push_back(slot);
    const auto claimed = store_->Claim(incarnation, all, 0);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    if (claimed.ok()) {
      for (const SlotGeneration& slot : *claimed)
        slots.generations[static_cast<size_t>(slot.slot)] = slot.generation;
    }
    DurableLog::Options log;
    log_ = std::make_unique<DurableLog>(log, slots, listener);
    RoomTable::Options rooms;
    rooms.log = log_.get();
    table = std::make_unique<RoomTable>(std::move(rooms));
    EXPECT_TRUE(log_->Start(*table, store_->Read()->meta.epoch,
                            [this]() -> absl::StatusOr<std::unique_ptr<Store>> { return Open(); })
                    .ok());
  }
  ~Owner() { log_->Stop(); }

  std::unique_ptr<Store> Open() const {
    auto store = OpenStore(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // The outcome of a send, as FakeWaiter has it.
  std::string Send(const std::string& content, const std::string& id = "") {
    const auto waiter = std::make_shared<FakeWaiter>();
    std::vector<std::string> told;
    (void)WaitUntil(
        [&] {
          SendTicket ticket{waiter, waiter->Expect(content)};
          const auto sent = table->Send("red", "ann", kEverybody, content, id, {}, nullptr, &ticket);
          if (sent.ok() && !sent->pending) told = {fmt::format("{}: {} repeated", content, sent->offset)};
          return !absl::IsAborted(sent.status());  // Until the room is read.
        },
        std::chrono::seconds(20));
    (void)WaitUntil(
        [&] {
          if (told.empty()) told = waiter->Take();
          return !told.empty();
        },
        std::chrono::seconds(20));
    return told.empty() ? "nothing" : told.front();
  }
  // As if it had been found dead.
  void MarkGone() {
    const auto read = store_->Read();
    ASSERT_TRUE(read.ok()) << read.status();
    for (const StoredServer& server : read->servers) {
      if (server.incarnation != incarnation_) continue;
      EXPECT_TRUE(*store_->MarkGone(incarnation_, server.beat));
    }
  }

  FakeSlots slots;
  FakeListener listener;
  std::unique_ptr<RoomTable> table;

 private:
  const uint64_t incarnation_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<DurableLog> log_;
};

TEST(SqliteLogTest, ARoomOutlivesItsOwnerAndOneThatWasReplacedAddsNothing) {
  const TempFolder folder;
  Owner first(folder / "hubbub.db", 1);
  EXPECT_EQ(first.Send("one", "id-1"), "one: 1");
  EXPECT_EQ(first.Send("two"), "two: 2");
  first.MarkGone();

  Owner second(folder / "hubbub.db", 2);
  EXPECT_EQ(second.Send("one", "id-1"), "one: 1 repeated");
  EXPECT_EQ(second.Send("three"), "three: 3");

  // It does not know yet that it was replaced.
  EXPECT_EQ(first.Send("late"), "late: ABORTED");
  EXPECT_TRUE(WaitUntil([&] { return !first.listener.told().empty(); }, std::chrono::seconds(20)));
  const auto events = second.Open()->Recent("red", 0, 10);
  ASSERT_TRUE(events.ok()) << events.status();
  std::vector<std::string> texts;
  for (const LoggedEvent& event : *events)
    texts.push_back(fmt::format("{}@{} as {}", event.content, event.offset, event.generation));
  EXPECT_THAT(texts, ElementsAre("one@1 as 1", "two@2 as 1", "three@3 as 2"));
}

}  // namespace
}  // namespace hubbub::chat
