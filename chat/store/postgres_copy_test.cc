// From SQLite to PostgreSQL and back.
#include <string>
#include <vector>

#include "chat/store/store_copy.h"
#include "chat/store/testing/postgres_test_store.h"
#include "chat/store/testing/temp_folder.h"
#include "gtest/gtest.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

std::unique_ptr<Store> Opened(const std::string& url) {
  auto store = OpenStore({.url = url, .make = false});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TEST(PostgresCopyTest, AStoreGoesToPostgresAndBackAsItWas) {
  const auto place = PostgresTestStore::Make();
  if (place == nullptr) GTEST_SKIP() << "this machine has no PostgreSQL";
  const TempFolder folder;
  const std::string first = "sqlite:" + (folder / "first.db"), last = "sqlite:" + (folder / "last.db");
  {
    const auto made = OpenStore({.url = first});
    ASSERT_TRUE(made.ok()) << made.status();
    Store& store = **made;
    ASSERT_TRUE(
        store.Register({.incarnation = 11, .id = "chat-1", .address = "a:1", .history = "durable"}).ok());
    for (const std::string room : {"lobby", "trimmed"}) {
      const int number = SlotOf(room, 1024);
      const auto slot = store.Claim(11, {number}, 0);
      ASSERT_TRUE(slot.ok() && slot->size() == 1);
      AppendBatch batch{.slots = *slot, .events = {}};
      for (int64_t offset = 1; offset <= 120; ++offset) {
        LoggedEvent event;
        event.room = room;
        event.offset = offset;
        event.time_ms = offset;
        event.sender = "zoë";
        event.content = std::string("a zero \0 within", 15);
        batch.events.push_back({.slot = number, .event = std::move(event)});
      }
      ASSERT_TRUE(store.Append(batch).ok());
    }
    ASSERT_TRUE(store.Trim("trimmed", 120).ok());
    ASSERT_EQ(store.DeleteTrimmed("trimmed", 500, /*since_ms=*/1'000)->rows, 120);
    ASSERT_TRUE(store.Leave(11).ok());
  }
  const auto there = CopyStore({.url = first}, {.url = place->url()});
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_EQ(there->messages, 120u);
  const auto back = CopyStore({.url = place->url()}, {.url = last});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->rooms, 2u);
  const auto before = Opened(first), after = Opened(last);
  auto told = *before->Recent("lobby", 0, 500), tells = *after->Recent("lobby", 0, 500);
  for (auto* events : {&told, &tells}) {
    for (LoggedEvent& event : *events) event.generation = 0;
  }
  EXPECT_EQ(told, tells);
  EXPECT_EQ(after->Heads({"trimmed"})->front().head, 120);
  EXPECT_TRUE(after->Recent("trimmed", 0, 500)->empty());
  EXPECT_EQ(before->Read()->meta.epoch, after->Read()->meta.epoch);
}

}  // namespace
}  // namespace hubbub::chat
