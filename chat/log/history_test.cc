#include "chat/log/history.h"

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/log/testing/log_test_base.h"
#include "chat/store/open_store.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = 1'000'000;

// A store in a file in which server 1 has all slots, with messages of "red".
class HistoryTest : public ::testing::Test {
 protected:
  HistoryTest() : folder_(::testing::TempDir() + "hubbub-history-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    store_ = Open();
    EXPECT_TRUE(
        store_->Register({.incarnation = 1, .id = "chat-1", .address = "a:1", .history = "durable"}).ok());
    std::vector<int> all;
    for (int i = 0; i < FakeSlots::kSlots; ++i) all.push_back(i);
    EXPECT_TRUE(store_->Claim(1, all, 0).ok());
  }
  ~HistoryTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<Store> Open() const {
    return *OpenStore({.url = "sqlite:" + folder_ + "/store.db", .slots = FakeSlots::kSlots});
  }
  // Messages 1 to `count`, one a second, the newest now.
  void Say(const std::string& room, int count, bool with_ids = false) {
    AppendBatch batch;
    const int slot = slots_.SlotOf(room);
    batch.slots.push_back({.slot = slot, .generation = 1});
    for (int i = 1; i <= count; ++i) {
      LoggedEvent event;
      event.room = room;
      event.offset = i;
      event.time_ms = kNow - 1'000 * (count - i);
      event.sender = "ann";
      event.content = fmt::format("message {}", i);
      if (with_ids) event.id = fmt::format("id {}", i);
      batch.events.push_back({.slot = slot, .event = std::move(event)});
    }
    const auto answer = store_->Append(batch);
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_THAT(answer->slots, ElementsAre(slot));
  }
  std::vector<int64_t> Offsets(const std::string& room) const {
    std::vector<int64_t> offsets;
    const std::vector<LoggedEvent> events = *store_->Recent(room, 0, 10'000);
    for (const LoggedEvent& event : events) offsets.push_back(event.offset);
    return offsets;
  }
  void EndRetention(Retention& retention) {
    for (int i = 0; i < 100 && retention.Round(*store_) != Retention::kPause; ++i) {
    }
  }

  std::string folder_;
  FakeSlots slots_;
  std::unique_ptr<Store> store_;
};

template <typename Result>
absl::StatusOr<Result> Wait(const std::function<void(History::Done<Result>)>& call) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Result>>>();
  auto future = promise->get_future();
  call([promise](absl::StatusOr<Result> result) { promise->set_value(std::move(result)); });
  if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready)
    return absl::DeadlineExceededError("no answer");
  return future.get();
}

TEST_F(HistoryTest, PagesGoBackwardsAndCopiesForwards) {
  Say("red", 600);
  History history(slots_, {}, [this]() -> absl::StatusOr<std::unique_ptr<Store>> { return Open(); });
  history.Start();
  const auto page = Wait<HistoryPage>([&](auto done) {
    history.Page({.room = "red", .user = {}, .before = 10, .limit = 2}, std::move(done));
  });
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 2u);
  EXPECT_EQ(page->events[0].content, "message 8");
  EXPECT_EQ(page->next_before, 8);

  int64_t after = 3;
  int64_t next = 4;
  for (int i = 0; i < 10; ++i) {
    const auto events =
        Wait<std::vector<LoggedEvent>>([&](auto done) { history.After("red", after, std::move(done)); });
    ASSERT_TRUE(events.ok()) << events.status();
    if (events->empty()) break;
    for (const LoggedEvent& event : *events) EXPECT_EQ(event.offset, next++);
    after = events->back().offset;
  }
  EXPECT_EQ(next, 601);
}

TEST_F(HistoryTest, WhatIsDeletedIsGoneAndOffsetsGoOn) {
  Say("red", 20);
  History history(slots_, {}, [this]() -> absl::StatusOr<std::unique_ptr<Store>> { return Open(); });
  history.Start();
  const auto some = Wait<int64_t>([&](auto done) { history.Delete("red", 5, std::move(done)); });
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(Offsets("red").front(), 6);
  const auto all = Wait<int64_t>([&](auto done) { history.Delete("red", 0, std::move(done)); });
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(*all, 20);
  EXPECT_THAT(Offsets("red"), IsEmpty());
  EXPECT_EQ(store_->Heads({"red"})->front().head, 20);
  EXPECT_TRUE(WaitUntil([&] { return history.retention().deleted() == 20; }, std::chrono::seconds(20)));
}

TEST_F(HistoryTest, CallsAfterTheEndAreAnswered) {
  History history(slots_, {}, [this]() -> absl::StatusOr<std::unique_ptr<Store>> { return Open(); });
  history.Start();
  history.Stop();
  const auto page =
      Wait<HistoryPage>([&](auto done) { history.Page({.room = "red", .user = {}}, std::move(done)); });
  EXPECT_EQ(page.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(HistoryTest, RetentionKeepsTheNewestMessages) {
  Say("red", 30);
  Say("blue", 5);
  Retention retention(slots_, {.max_messages = 10});
  EndRetention(retention);
  EXPECT_THAT(Offsets("red"), ElementsAre(21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  EXPECT_EQ(Offsets("blue").size(), 5u);
  EXPECT_EQ(retention.deleted(), 20u);
}

TEST_F(HistoryTest, RetentionKeepsWhatIsYoungEnough) {
  Say("red", 30);
  Retention retention(slots_, {.max_messages = 0, .max_age_ms = 2'500, .system_ms = [] { return kNow; }});
  EndRetention(retention);
  EXPECT_THAT(Offsets("red"), ElementsAre(28, 29, 30));
}

TEST_F(HistoryTest, AClockThatIsSetForwardDeletesNothing) {
  Say("red", 30);
  int64_t now_ms = kNow;
  Retention retention(slots_, {.max_messages = 0, .max_age_ms = 60'000, .system_ms = [&] { return now_ms; }});
  now_ms += 3'600'000;
  EndRetention(retention);
  EXPECT_EQ(Offsets("red").size(), 30u);
}

// A server that has answered DeleteRoom may end before the rows are deleted.
TEST_F(HistoryTest, WhatTheOwnerBeforeHasTrimmedIsDeletedWheneverTheSlotComes) {
  Say("red", 30);
  Say("blue", 30);
  ASSERT_NE(slots_.SlotOf("red"), slots_.SlotOf("blue"));
  std::atomic<int64_t>& generation = slots_.generations[static_cast<size_t>(slots_.SlotOf("red"))];
  for (const Retention::Options& options : {Retention::Options{}, Retention::Options{.max_messages = 0}}) {
    generation = 0;
    Retention retention(slots_, options);
    EndRetention(retention);
    EndRetention(retention);
    EXPECT_TRUE(store_->Trim("red", store_->Heads({"red"})->front().trimmed + 10).ok());
    generation = 2;
    for (int i = 0; i < 3; ++i) EndRetention(retention);
    EXPECT_EQ(retention.deleted(), 10u);
  }
}

// Else one that is repeated by its client is said twice, when its room's owner is lost between.
TEST_F(HistoryTest, WhatKnowsARepeatedMessageOutlivesItForAsLongAsItMayBeRepeated) {
  Say("red", 30, /*with_ids=*/true);
  int64_t passed_ms = 0;
  const Retention::Options options{.max_messages = 0,
                                   .repeats_ms = 10'000,
                                   .steady_ms = [&] { return 1 + passed_ms; },
                                   .system_ms = [&] { return kNow + passed_ms; }};
  Retention retention(slots_, options);
  EXPECT_TRUE(store_->Trim("red", 30).ok());
  retention.Deleted("red");
  EndRetention(retention);
  EXPECT_THAT(Offsets("red"), IsEmpty());
  EXPECT_EQ(store_->Ids("red", 30, 0)->size(), 10u);
  EXPECT_EQ(retention.deleted(), 30u) << "of ten of them the text alone";
  passed_ms = 9'999;
  EndRetention(retention);
  EXPECT_EQ(store_->Ids("red", 30, 0)->back().id, "id 30");
  passed_ms = 10'000;
  EndRetention(retention);
  EXPECT_THAT(*store_->Ids("red", 30, 0), IsEmpty());

  // Another server has it by the time.
  Say("blue", 30, /*with_ids=*/true);
  EXPECT_TRUE(store_->Trim("blue", 30).ok());
  Retention next(slots_, options);
  EndRetention(next);
  EndRetention(next);
  EXPECT_THAT(*store_->Ids("blue", 30, 0), IsEmpty());
}

TEST_F(HistoryTest, RetentionLeavesRoomsOfOthersAlone) {
  Say("red", 30);
  slots_.generations[static_cast<size_t>(slots_.SlotOf("red"))] = 0;
  Retention retention(slots_, {.max_messages = 10});
  EndRetention(retention);
  EXPECT_EQ(Offsets("red").size(), 30u);
}

}  // namespace
}  // namespace hubbub::chat
