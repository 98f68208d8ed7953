#include "chat/store/store_copy.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "chat/store/sqlite_store.h"
#include "chat/store/testing/temp_folder.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

constexpr int kSlots = 8;
constexpr uint64_t kServer = 11;

// A store of few slots, whose rooms a chat server fills.
class CopySource {
 public:
  explicit CopySource(const std::string& path) {
    auto opened = SqliteStore::Open({.path = path, .slots = kSlots});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    EXPECT_TRUE(
        store_
            ->Register(
                {.incarnation = kServer, .id = "chat-1", .address = "127.0.0.1:6050", .history = "durable"})
            .ok());
    std::vector<int> all;
    for (int i = 0; i < kSlots; ++i) all.push_back(i);
    // By greater generations than those of a new store.
    const auto claimed = store_->Claim(kServer, all, /*greatest_heard=*/20);
    EXPECT_TRUE(claimed.ok());
    slots_ = *claimed;
  }
  void Say(const std::string& room, int64_t from, int64_t to) {
    const int number = SlotOf(room, kSlots);
    const auto slot =
        std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s.slot == number; });
    AppendBatch batch{.slots = {*slot}, .events = {}};
    for (int64_t offset = from; offset <= to; ++offset) {
      LoggedEvent event;
      event.room = room;
      event.offset = offset;
      event.time_ms = 1000 * offset;
      event.sender = "ann";
      event.target = offset % 3 == 0 ? "bob" : "";
      event.id = fmt::format("n-{}", offset);
      event.recipients = 2;
      event.content = fmt::format("text {} of {}\0 with a zero", offset, room);
      batch.events.push_back({.slot = number, .event = std::move(event)});
    }
    const auto answer = store_->Append(batch);
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_EQ(answer->slots.size(), 1u);
  }
  void Trim(const std::string& room, int64_t offset) {
    ASSERT_TRUE(store_->Trim(room, offset).ok());
    ASSERT_TRUE(store_->DeleteTrimmed(room, 1'000, /*since_ms=*/1'000'000'000).ok());
  }
  Store& store() { return *store_; }

 private:
  std::unique_ptr<Store> store_;
  std::vector<SlotGeneration> slots_;
};

// All that is kept of a room, but for generations: one line an event.
std::vector<std::string> Told(Store& store, const std::string& room) {
  std::vector<std::string> lines;
  const auto heads = store.Heads({room});
  EXPECT_TRUE(heads.ok());
  lines.push_back(fmt::format("head {} trimmed {} at {}", heads->front().head, heads->front().trimmed,
                              heads->front().time_ms));
  const auto events = store.Recent(room, 0, 10'000);
  EXPECT_TRUE(events.ok());
  int64_t generation = 0;
  for (const LoggedEvent& e : *events) {
    EXPECT_GE(e.generation, generation);
    generation = e.generation;
    lines.push_back(fmt::format("{} {} {}>{} {} {} {}", e.offset, e.time_ms, e.sender, e.target, e.id,
                                e.recipients, e.content));
  }
  return lines;
}

class StoreCopyTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Target(uint64_t epoch = 0) {
    if (epoch == 0) epoch = source_.store().Read()->meta.epoch;
    auto opened = SqliteStore::Open({.path = folder_ / "to.db", .slots = kSlots, .epoch = epoch});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  void EndServer() { ASSERT_TRUE(source_.store().Leave(kServer).ok()); }
  void ExpectRefused(Store& from, Store& to, const std::string& text) {
    const auto refused = StoreCopy(from, to, wait_).Run();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(text));
  }

  const TempFolder folder_;
  CopySource source_{folder_ / "from.db"};
  StoreCopy::Wait wait_ = [](std::chrono::milliseconds) {};
};

TEST_F(StoreCopyTest, AllIsThereAsItWas) {
  source_.Say("short", 1, 1);
  source_.Say("page", 1, 100);
  source_.Say("long", 1, 253);
  source_.Say("trimmed", 1, 150);
  source_.Trim("trimmed", 120);
  source_.Say("trimmed once", 1, 2);
  source_.Trim("trimmed once", 1);
  source_.Say("empty", 1, 40);
  source_.Trim("empty", 40);
  EndServer();
  const auto target = Target();
  const auto copied = StoreCopy(source_.store(), *target, wait_).Run();
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->rooms, 6u);
  EXPECT_EQ(copied->messages, 1u + 100 + 253 + 30 + 1);
  for (const char* room : {"short", "page", "long", "trimmed", "trimmed once", "empty"})
    EXPECT_EQ(Told(*target, room), Told(source_.store(), room)) << room;
  // A chat server that comes now has a greater generation than any that wrote.
  ASSERT_TRUE(
      target->Register({.incarnation = 5, .id = "chat-9", .address = "a:1", .history = "durable"}).ok());
  EXPECT_GT(target->Claim(5, {0}, 0)->front().generation, 21);
}

TEST_F(StoreCopyTest, ACopyThatIsMadeAgainChangesNothing) {
  source_.Say("lobby", 1, 10);
  source_.Say("trimmed", 1, 10);
  source_.Trim("trimmed", 4);
  EndServer();
  const auto target = Target();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(StoreCopy(source_.store(), *target, wait_).Run().ok());
  for (const char* room : {"lobby", "trimmed"}) EXPECT_EQ(Told(*target, room), Told(source_.store(), room));
}

TEST_F(StoreCopyTest, AStoreThatIsInUseIsNotCopied) {
  source_.Say("lobby", 1, 1);
  wait_ = [this](std::chrono::milliseconds) { EXPECT_TRUE(*source_.store().Renew(kServer)); };
  const auto target = Target();
  ExpectRefused(source_.store(), *target, "chat server \"chat-1\" at 127.0.0.1:6050 uses sqlite:");
  EXPECT_EQ(Told(*target, "lobby").size(), 1u);
}

TEST_F(StoreCopyTest, AServerThatEndedWithoutAWordIsNoObstacle) {
  source_.Say("lobby", 1, 1);
  const auto target = Target();
  EXPECT_TRUE(StoreCopy(source_.store(), *target, wait_).Run().ok());
  // What it had not written is refused from now on, should it only have hung.
  EXPECT_FALSE(*source_.store().Renew(kServer));
}

TEST_F(StoreCopyTest, ATargetThatHasBegunByItselfIsLeftAlone) {
  source_.Say("lobby", 1, 1);
  EndServer();
  const auto target = Target(/*epoch=*/12345);
  ExpectRefused(source_.store(), *target, "is a store already, and no copy of");
  ExpectRefused(source_.store(), source_.store(), "cannot be copied to itself");
}

TEST_F(StoreCopyTest, ASourceThatIsNotThereIsNotMade) {
  const std::string path = folder_ / "missing.db";
  const auto copied = CopyStore({.url = "sqlite:" + path}, {.url = "sqlite:" + (folder_ / "to.db")});
  EXPECT_TRUE(absl::IsFailedPrecondition(copied.status())) << copied.status();
  EXPECT_THAT(std::string(copied.status().message()), HasSubstr("is not there"));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "to.db"));
}

TEST_F(StoreCopyTest, TheTargetIsMadeWithTheSlotsAndTheEpochOfTheSource) {
  source_.Say("lobby", 1, 7);
  EndServer();
  const auto copied =
      CopyStore({.url = "sqlite:" + (folder_ / "from.db")}, {.url = "sqlite:" + (folder_ / "to.db")});
  ASSERT_TRUE(copied.ok()) << copied.status();
  const auto target = Target();
  const StoreMeta meta = target->Read()->meta;
  EXPECT_EQ(meta.slots, kSlots);
  EXPECT_EQ(meta.epoch, source_.store().Read()->meta.epoch);
  EXPECT_EQ(Told(*target, "lobby").size(), 8u);
}

}  // namespace
}  // namespace hubbub::chat
