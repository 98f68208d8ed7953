// Of every store: the log and its heads.
#include <numeric>

#include "chat/store/testing/store_contract.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

constexpr int64_t kAllAreOld = 1'000'000'000;

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContract, WhatIsAppendedIsReadBack) {
  Register(kA);
  const int64_t generation = Claim(store(), kA, 3);
  LoggedEvent whole = Event("lobby", 2, std::string("a\0b\xff\xfe\0", 6));
  whole.target = "bob";
  whole.recipients = 1;
  whole.time_ms = int64_t{1} << 50;
  whole.sender = "Jos\xc3\xa9 \xf0\x9f\x98\x80";
  LoggedEvent empty;
  empty.room = "lobby";
  empty.offset = 1;
  const AppendAnswer answer = Get(store().Append(Batch({3, generation}, {empty, whole})));
  EXPECT_THAT(answer.slots, ElementsAre(3));
  EXPECT_THAT(answer.added, ElementsAre(true, true));
  empty.generation = whole.generation = generation;
  EXPECT_THAT(Log(store(), "lobby"), ElementsAre(empty, whole));
}

TEST_P(StoreContract, NamesOfRoomsAreBytes) {
  Register(kA);
  const int64_t generation = Claim(store(), kA, 0);
  // Nothing is folded, trimmed or taken for a pattern.
  const std::vector<std::string> rooms = {
      "a", "A", "a ", " a", "%", "_", "'; DROP TABLE rooms; --", "\xc3\xa4", "a\xcc\x88"};
  AppendBatch batch;
  batch.slots = {{0, generation}};
  for (const std::string& room : rooms) batch.events.push_back({0, Event(room, 1, "in " + room)});
  EXPECT_THAT(Get(store().Append(batch)).added,
              testing::ElementsAreArray(std::vector<bool>(rooms.size(), true)));
  for (const std::string& room : rooms) {
    ASSERT_THAT(Log(store(), room), SizeIs(1)) << room;
    EXPECT_EQ(Log(store(), room).front().content, "in " + room);
  }
}

TEST_P(StoreContract, ABatchIsRepeatedSafely) {
  Register(kA);
  const SlotGeneration slot = {3, Claim(store(), kA, 3)};
  const AppendBatch batch = Batch(slot, {Event("lobby", 1), Event("lobby", 2), Event("hall", 1)});
  EXPECT_THAT(Get(store().Append(batch)).added, ElementsAre(true, true, true));
  const AppendAnswer again = Get(store().Append(batch));
  EXPECT_THAT(again.slots, ElementsAre(3));
  EXPECT_THAT(again.added, ElementsAre(false, false, false));
  EXPECT_THAT(Log(store(), "lobby"), SizeIs(2));
  EXPECT_THAT(Log(store(), "hall"), SizeIs(1));
}

TEST_P(StoreContract, ARowThatIsThereStaysAsItIs) {
  Register(kA);
  const SlotGeneration slot = {3, Claim(store(), kA, 3)};
  EXPECT_TRUE(Append(store(), slot, {Event("lobby", 1, "first")}));
  const AppendAnswer answer =
      Get(store().Append(Batch(slot, {Event("lobby", 1, "second"), Event("lobby", 2)})));
  EXPECT_THAT(answer.slots, ElementsAre(3));
  EXPECT_THAT(answer.added, ElementsAre(false, true));
  EXPECT_EQ(Log(store(), "lobby").front().content, "first");
}

TEST_P(StoreContract, AnEmptyBatchTellsWhichSlotsHold) {
  Register(kA);
  const int64_t generation = Claim(store(), kA, 3);
  AppendBatch batch;
  EXPECT_THAT(Get(store().Append(batch)).slots, IsEmpty());
  batch.slots = {{3, generation}, {4, 1}, {5000, 1}};
  EXPECT_THAT(Get(store().Append(batch)).slots, ElementsAre(3));
}

TEST_P(StoreContract, ABatchHasManySlotsAndEvents) {
  Register(kA);
  std::vector<int> wanted(1000);
  std::iota(wanted.begin(), wanted.end(), 0);
  AppendBatch batch;
  batch.slots = Get(store().Claim(kA, wanted, 0));
  ASSERT_THAT(batch.slots, SizeIs(1000));
  for (int i = 0; i < 1024; ++i)
    batch.events.push_back({i % 1000, Event(fmt::format("room {}", i % 1000), 1 + i / 1000)});
  const AppendAnswer answer = Get(store().Append(batch));
  EXPECT_THAT(answer.slots, SizeIs(1000));
  EXPECT_THAT(answer.added, testing::ElementsAreArray(std::vector<bool>(1024, true)));
  std::vector<std::string> rooms;
  rooms.reserve(1000);
  for (int i = 0; i < 1000; ++i) rooms.push_back(fmt::format("room {}", i));
  const std::vector<RoomHead> heads = Get(store().Heads(rooms));
  ASSERT_THAT(heads, SizeIs(1000));
  for (size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(heads[i].room, rooms[i]);
    EXPECT_EQ(heads[i].head, i < 24 ? 2 : 1);
  }
}

TEST_P(StoreContract, ABatchOfLargeMessages) {
  Register(kA);
  const SlotGeneration slot = {1, Claim(store(), kA, 1)};
  std::vector<LoggedEvent> events;
  for (int64_t i = 1; i <= 1024; ++i)
    events.push_back(Event("lobby", i, std::string(1024, static_cast<char>(i))));
  EXPECT_TRUE(Append(store(), slot, events));
  for (LoggedEvent& event : events) event.generation = slot.generation;
  EXPECT_EQ(Log(store(), "lobby"), events);
}

TEST_P(StoreContract, ABatchWithAnEventThatCannotBeStoredDoesNothing) {
  Register(kA);
  const SlotGeneration slot = {1, Claim(store(), kA, 1)};
  const auto bad = store().Append(Batch(slot, {Event("lobby", 1), Event("lobby", 0), Event("hall", 1)}));
  EXPECT_THAT(bad.status(), HasCode(absl::StatusCode::kInternal));
  EXPECT_EQ(Head(store(), "lobby").head, 0);
  EXPECT_EQ(Head(store(), "hall").head, 0);
  EXPECT_TRUE(Append(store(), slot, {Event("lobby", 1), Event("hall", 1)})) << "the connection goes on";
}

TEST_P(StoreContract, HeadsAreInTheOrderAsked) {
  Register(kA);
  const SlotGeneration slot = {3, Claim(store(), kA, 3)};
  EXPECT_TRUE(Append(store(), slot, {Event("b", 1), Event("b", 2), Event("a", 1)}));
  const std::vector<RoomHead> heads = Get(store().Heads({"b", "nowhere", "a", "b"}));
  ASSERT_THAT(heads, SizeIs(4));
  EXPECT_EQ(heads[0].room, "b");
  EXPECT_EQ(heads[0].head, 2);
  EXPECT_EQ(heads[0].trimmed, 0);
  EXPECT_EQ(heads[0].time_ms, 2000);
  EXPECT_EQ(heads[1].room, "nowhere");
  EXPECT_EQ(heads[1].head, 0);
  EXPECT_EQ(heads[1].time_ms, 0);
  EXPECT_EQ(heads[2].room, "a");
  EXPECT_EQ(heads[2].head, 1);
  EXPECT_EQ(heads[3].head, 2);
  EXPECT_THAT(Get(store().Heads({})), IsEmpty());
}

TEST_P(StoreContract, TrimmedRoomsKeepTheirHeads) {
  Register(kA);
  const SlotGeneration slot = {3, Claim(store(), kA, 3)};
  EXPECT_TRUE(Append(store(), slot, {Event("lobby", 1), Event("lobby", 2), Event("lobby", 3)}));
  Ok(store().Trim("lobby", 2));
  Ok(store().Trim("lobby", 1));
  Ok(store().Trim("nowhere", 5));
  RoomHead head = Head(store(), "lobby");
  EXPECT_EQ(head.head, 3);
  EXPECT_EQ(head.trimmed, 2);
  EXPECT_EQ(head.time_ms, 3000);
  EXPECT_THAT(Offsets(Log(store(), "lobby")), ElementsAre(3))
      << "what is trimmed is not seen, deleted or not";
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 1, kAllAreOld)).rows, 1);
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, kAllAreOld)).rows, 1);
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, kAllAreOld)).rows, 0);
  EXPECT_EQ(Get(store().DeleteTrimmed("nowhere", 10, kAllAreOld)).rows, 0);
  EXPECT_THAT(Offsets(Log(store(), "lobby")), ElementsAre(3));
  Ok(store().Trim("lobby", 3));
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, kAllAreOld)).rows, 1);
  head = Head(store(), "lobby");
  EXPECT_EQ(head.head, 3) << "offsets never come back";
  EXPECT_EQ(head.trimmed, 3);
  EXPECT_EQ(head.time_ms, 0);
  EXPECT_TRUE(Append(store(), slot, {Event("lobby", 4)}));
  EXPECT_THAT(Offsets(Log(store(), "lobby")), ElementsAre(4));
  CheckLog("lobby");
}

TEST_P(StoreContract, OfWhatIsTrimmedTheYoungIdsAreKeptWithoutTheText) {
  Register(kA);
  const SlotGeneration slot = {3, Claim(store(), kA, 3)};
  std::vector<LoggedEvent> events;
  for (int offset = 1; offset <= 6; ++offset) {
    events.push_back(Event("lobby", offset));
    events.back().time_ms = 1'000 * offset;
    events.back().target = "bob";
    events.back().id = offset == 5 ? "" : fmt::format("id {}", offset);
  }
  EXPECT_TRUE(Append(store(), slot, events));
  Ok(store().Trim("lobby", 5));
  const auto ids = [this](int64_t since_ms) {
    std::vector<std::string> found;
    for (const LoggedEvent& event : Get(store().Ids("lobby", 6, since_ms))) {
      EXPECT_EQ(event.content + event.target, "");
      found.push_back(event.id);
    }
    return found;
  };
  // The first two are too old, the fifth has none.
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 1, 2'000)), (Deletion{.rows = 2, .keeps_ids = true}));
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, 2'000)), (Deletion{.rows = 3, .keeps_ids = true}));
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, 2'000)), (Deletion{.rows = 0, .keeps_ids = true}));
  EXPECT_THAT(ids(0), ElementsAre("id 3", "id 4", "id 6"));
  EXPECT_THAT(Offsets(Log(store(), "lobby")), ElementsAre(6));
  // A batch in doubt brings nothing back.
  EXPECT_FALSE(Get(store().Append({.slots = {slot}, .events = {{.slot = 3, .event = events[3]}}})).added[0]);
  Ok(store().Trim("lobby", 6));
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, 3'000)), (Deletion{.rows = 2, .keeps_ids = true}));
  EXPECT_THAT(ids(0), ElementsAre("id 4", "id 6"));
  EXPECT_EQ(Head(store(), "lobby").head, 6);
  EXPECT_EQ(Head(store(), "lobby").time_ms, 0);
  EXPECT_EQ(Get(store().DeleteTrimmed("lobby", 10, 6'000)), (Deletion{.rows = 2, .keeps_ids = false}));
  EXPECT_THAT(ids(0), IsEmpty());
  EXPECT_EQ(Head(store(), "lobby").head, 6);
  CheckLog("lobby");
}

TEST_P(StoreContract, RoomsAreListedBySlotAndName) {
  Register(kA);
  const auto slots = Get(store().Claim(kA, {1, 2, 3}, 0));
  ASSERT_THAT(slots, SizeIs(3));
  AppendBatch batch;
  batch.slots = slots;
  batch.events = {{1, Event("b", 1)}, {2, Event("a", 1)},        {3, Event("c", 1)},
                  {1, Event("B", 1)}, {2, Event("\xc3\xa4", 1)}, {1, Event("b", 2)}};
  Get(store().Append(batch));
  Ok(store().Trim("b", 1));
  const auto names = [this](const std::vector<int>& of, std::string_view after, int limit) {
    std::vector<std::string> rooms;
    for (const RoomHead& room : Get(store().Rooms(of, after, limit))) rooms.push_back(room.room);
    return rooms;
  };
  EXPECT_THAT(names({1, 2}, "", 10), ElementsAre("B", "a", "b", "\xc3\xa4")) << "by the bytes of their names";
  EXPECT_THAT(names({1, 2}, "", 2), ElementsAre("B", "a"));
  EXPECT_THAT(names({1, 2}, "a", 10), ElementsAre("b", "\xc3\xa4"));
  EXPECT_THAT(names({3}, "", 10), ElementsAre("c"));
  EXPECT_THAT(names({}, "", 10), IsEmpty());
  const std::vector<RoomHead> rooms = Get(store().Rooms({1}, "a", 10));
  ASSERT_THAT(rooms, SizeIs(1));
  EXPECT_EQ(rooms[0].head, 2);
  EXPECT_EQ(rooms[0].trimmed, 1);
  EXPECT_EQ(rooms[0].time_ms, 2000);
}

}  // namespace
}  // namespace hubbub::chat
