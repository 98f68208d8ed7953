#include "chat/store/testing/store_contract.h"

#include <limits>

#include "fmt/format.h"

namespace hubbub::chat {

// A program may have the contract and no kind of store that this machine can run.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContractFence);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContractHistory);

void StoreContract::SetUp() {
  place_ = GetParam().make();
  if (place_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam().name;
  first_ = Another();
  ASSERT_NE(first_, nullptr);
}

std::unique_ptr<Store> StoreContract::Another() {
  return Get(place_->Connect());
}

StoredServer StoreContract::Server(uint64_t incarnation, std::string id, std::string history) {
  StoredServer server;
  server.incarnation = incarnation;
  server.id = std::move(id);
  server.address = fmt::format("10.0.0.{}:3050", incarnation % 256);
  server.history = std::move(history);
  return server;
}

void StoreContract::Register(uint64_t incarnation) {
  Ok(store().Register(Server(incarnation, fmt::format("chat-{}", incarnation))));
}

void StoreContract::MakeGone(uint64_t incarnation) {
  EXPECT_TRUE(Get(store().MarkGone(incarnation, ListedServer(incarnation).beat)));
}

StoredServer StoreContract::ListedServer(uint64_t incarnation) {
  for (const StoredServer& server : Get(store().Read()).servers) {
    if (server.incarnation == incarnation) return server;
  }
  return {};
}

StoredSlot StoreContract::ListedSlot(int slot) {
  const StoreView view = Get(store().Read());
  EXPECT_GT(view.slots.size(), static_cast<size_t>(slot));
  return view.slots.size() > static_cast<size_t>(slot) ? view.slots[static_cast<size_t>(slot)] : StoredSlot();
}

int64_t StoreContract::Claim(Store& store, uint64_t owner, int slot) {
  const std::vector<SlotGeneration> got = Get(store.Claim(owner, {slot}, 0));
  return got.empty() ? 0 : got.front().generation;
}

LoggedEvent StoreContract::Event(std::string room, int64_t offset, std::string content) {
  LoggedEvent event;
  event.room = std::move(room);
  event.offset = offset;
  event.time_ms = offset * 1000;
  event.sender = fmt::format("sender {}", offset);
  event.id = fmt::format("id {}", offset);
  event.recipients = static_cast<int>(offset % 100);
  event.content = std::move(content);
  return event;
}

AppendBatch StoreContract::Batch(SlotGeneration slot, std::vector<LoggedEvent> events) {
  AppendBatch batch;
  batch.slots = {slot};
  for (LoggedEvent& event : events) batch.events.push_back({slot.slot, std::move(event)});
  return batch;
}

bool StoreContract::Append(Store& store, SlotGeneration slot, std::vector<LoggedEvent> events) {
  const AppendAnswer answer = Get(store.Append(Batch(slot, std::move(events))));
  return answer.slots == std::vector<int>{slot.slot};
}

RoomHead StoreContract::Head(Store& store, const std::string& room) {
  const std::vector<RoomHead> heads = Get(store.Heads({room}));
  EXPECT_EQ(heads.size(), 1u);
  return heads.empty() ? RoomHead() : heads.front();
}

std::vector<LoggedEvent> StoreContract::Log(Store& store, std::string_view room) {
  return Get(store.Recent(room, 0, std::numeric_limits<int>::max()));
}

std::vector<int64_t> StoreContract::Offsets(const std::vector<LoggedEvent>& events) {
  std::vector<int64_t> offsets;
  offsets.reserve(events.size());
  for (const LoggedEvent& event : events) offsets.push_back(event.offset);
  return offsets;
}

void StoreContract::CheckLog(const std::string& room) {
  const RoomHead head = Head(store(), room);
  const std::vector<LoggedEvent> log = Log(store(), room);
  ASSERT_EQ(static_cast<int64_t>(log.size()), head.head - head.trimmed) << room;
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].offset, head.trimmed + 1 + static_cast<int64_t>(i)) << room;
    if (i == 0) continue;
    EXPECT_GE(log[i].generation, log[i - 1].generation) << room << " at " << log[i].offset;
    EXPECT_GE(log[i].time_ms, log[i - 1].time_ms) << room << " at " << log[i].offset;
  }
}

void StoreContractFence::SetUp() {
  StoreContract::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  Register(kA);
  Register(kB);
  other_ = Another();
  ASSERT_NE(other_, nullptr);
}

void StoreContractHistory::SetUp() {
  StoreContract::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  Register(kA);
  slot_ = {3, Claim(store(), kA, 3)};
}

void StoreContractHistory::Fill(int64_t count) {
  for (int64_t next = 1; next <= count;) {
    std::vector<LoggedEvent> events;
    for (; next <= count && events.size() < 1024; ++next) events.push_back(Event("lobby", next));
    ASSERT_TRUE(AppendHere(std::move(events)));
  }
}

HistoryPage StoreContractHistory::History(int64_t before, int limit, std::string user, bool everything) {
  HistoryQuery query;
  query.room = "lobby";
  query.user = std::move(user);
  query.everything = everything;
  query.before = before;
  query.limit = limit;
  return Get(store().History(query));
}

std::vector<int64_t> StoreContractHistory::Pages(int limit, const std::string& user) {
  std::vector<int64_t> seen;
  int64_t before = 0;
  do {
    const HistoryPage page = History(before, limit, user);
    for (auto event = page.events.rbegin(); event != page.events.rend(); ++event)
      seen.push_back(event->offset);
    EXPECT_TRUE(page.next_before == 0 || before == 0 || page.next_before < before)
        << "it must come nearer to the end";
    before = page.next_before;
  } while (before != 0 && !HasFailure());
  return seen;
}

}  // namespace hubbub::chat
