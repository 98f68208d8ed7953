#include "chat/log/durable_log.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/log/testing/log_test_base.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableLogTest : public LogTest {
 protected:
  // What the store answers when the connection ends before the answer is here.
  static absl::Status Lost() { return absl::UnknownError("the connection ended"); }
  // Compares what was sent.
  static bool Same(const AppendBatch& a, const AppendBatch& b) {
    const auto same = [](const AppendBatch::Entry& x, const AppendBatch::Entry& y) {
      return x.slot == y.slot && x.event == y.event;
    };
    return a.slots == b.slots &&
           std::equal(a.events.begin(), a.events.end(), b.events.begin(), b.events.end(), same);
  }
};

TEST_F(DurableLogTest, AMessageIsKeptThenShownAndAnswered) {
  database_.Hold();
  Send("one", "id-1");
  ASSERT_TRUE(Asked(1));
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  database_.Release();
  EXPECT_THAT(Outcomes(1), ElementsAre("one: 1"));
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("ann to *: one@1"));
  const auto events = database_.Events("red");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sender, "ann");
  EXPECT_EQ(events[0].target, "");
  EXPECT_EQ(events[0].id, "id-1");
  EXPECT_EQ(events[0].recipients, 1);
  EXPECT_EQ(events[0].generation, 1);
  EXPECT_EQ(events[0].time_ms, 6'000'000);
}

TEST_F(DurableLogTest, WhatComesDuringABatchIsTheNextOne) {
  database_.Hold();
  Send("one");
  ASSERT_TRUE(Asked(1));
  Send("two");
  Send("three");
  database_.Release();
  EXPECT_THAT(Outcomes(3), ElementsAre("one: 1", "two: 2", "three: 3"));
  const auto asked = database_.asked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].events.size(), 2u);
}

// Schedule 1 of the design: the append has reached the store, its answer is lost.
TEST_F(DurableLogTest, ABatchInDoubtIsSentAgainUnchanged) {
  database_.Hold();
  database_.Script([this](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    database_.Do(batch);
    return Lost();
  });
  // No error of a repeat says that the first sending did nothing.
  for (const absl::Status& status : {absl::UnavailableError("away"), absl::InternalError("bad"), Lost()})
    database_.Script([status](const AppendBatch&) -> absl::StatusOr<AppendAnswer> { return status; });
  Send("one");
  ASSERT_TRUE(Asked(1));
  Send("two");
  database_.Release();
  EXPECT_THAT(Outcomes(2), ElementsAre("one: 1", "two: 2"));
  EXPECT_THAT(database_.Texts("red"), ElementsAre("one@1", "two@2"));
  const auto asked = database_.asked();
  ASSERT_EQ(asked.size(), 6u);
  for (size_t i = 1; i < 5; ++i) EXPECT_TRUE(Same(asked[i], asked[0])) << i;
}

// The same, and the old connection runs last.
TEST_F(DurableLogTest, AFirstSendingThatRunsLastAddsNothing) {
  AppendBatch first;
  database_.Script([&first](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    first = batch;
    return Lost();
  });
  Send("one");
  EXPECT_THAT(Outcomes(1), ElementsAre("one: 1"));
  EXPECT_EQ(database_.Do(first).added, std::vector<bool>{false});
  EXPECT_THAT(database_.Texts("red"), ElementsAre("one@1"));
}

// Schedule 2: the append commits, then a claim; and the mirror of it.
TEST_F(DurableLogTest, AClaimBeforeTheAppendRefusesIt) {
  database_.Claim(Slot(), 2);
  Send("one");
  EXPECT_THAT(Outcomes(1), ElementsAre("one: ABORTED"));
  ASSERT_TRUE(Eventually([&] { return !listener_.told().empty(); }));
  EXPECT_THAT(listener_.told(), ElementsAre(fmt::format("lost {} as 1", Slot())));
  EXPECT_THAT(database_.Texts("red"), IsEmpty());
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
}

TEST_F(DurableLogTest, AClaimBetweenTwoSendingsLeavesItUnknown) {
  database_.Hold();
  database_.Script([this](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    database_.Do(batch);
    database_.Claim(Slot(), 2);
    return Lost();
  });
  Send("one", "id");
  ASSERT_TRUE(Asked(1));
  Send("two");
  database_.Release();
  EXPECT_THAT(Outcomes(2), ElementsAre("one: UNKNOWN", "two: ABORTED"));
  EXPECT_THAT(database_.Texts("red"), ElementsAre("one@1"));
  EXPECT_THAT(a_->TakeTexts(), IsEmpty()) << "the new owner shows it";
}

TEST_F(DurableLogTest, AnotherSlotGoesOnWhenOneIsLost) {
  // In the same lane as "red", in another slot.
  std::string other;
  for (int i = 0; other.empty(); ++i) {
    const std::string name = fmt::format("room-{}", i);
    const int slot = slots_.SlotOf(name);
    if (slot != Slot() && slot % 3 == Slot() % 3) other = name;
  }
  ASSERT_TRUE(table_->Open(LoggedRoom(other)).ok());
  database_.Hold();
  Send("first");
  ASSERT_TRUE(Asked(1));
  Send("lost");
  Send("kept", "", other);
  database_.Script([this](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    AppendAnswer answer = database_.Do(batch);
    database_.Claim(Slot(), 2);
    return answer;
  });
  database_.Release();
  EXPECT_THAT(Outcomes(3), ::testing::UnorderedElementsAre("first: 1", "lost: ABORTED", "kept: 1"));
}

TEST_F(DurableLogTest, ASlotThatIsNotHeldTakesNothing) {
  slots_.generations[static_cast<size_t>(Slot())] = 0;
  Send("one");
  EXPECT_THAT(Outcomes(1), ElementsAre("one: ABORTED"));
  EXPECT_THAT(database_.asked(), IsEmpty());
}

TEST_F(DurableLogTest, ARowThatIsThereOnTheFirstSendingShowsThatTheRoomIsStale) {
  LoggedEvent event;
  event.room = "red";
  event.offset = 1;
  event.content = "another's";
  database_.Insert(event);
  Send("one");
  EXPECT_THAT(Outcomes(1), ElementsAre("one: UNKNOWN"));
  ASSERT_TRUE(Eventually([&] { return !listener_.told().empty(); }));
  EXPECT_THAT(listener_.told(), ElementsAre("stale red"));
  EXPECT_THAT(database_.Texts("red"), ElementsAre("another's@1"));
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
}

TEST_F(DurableLogTest, WhatTheStoreRefusesByItselfIsFoundAndRefusedInOrder) {
  database_.Hold();
  Send("first");
  ASSERT_TRUE(Asked(1));
  for (const char* content : {"1", "2", "bad", "3", "4"}) Send(content);
  database_.Always([this](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    for (const auto& entry : batch.events) {
      if (entry.event.content == "bad") return absl::InternalError("this one");
    }
    return database_.Do(batch);
  });
  database_.Release();
  EXPECT_THAT(Outcomes(6), ElementsAre("first: 1", "1: 2", "2: 3", "bad: INTERNAL", "3: 4", "4: 5"));
  EXPECT_THAT(database_.Texts("red"), ElementsAre("first@1", "1@2", "2@3", "3@4", "4@5"));
  EXPECT_EQ(log_->counters().refused.value(), 1u);
}

TEST_F(DurableLogTest, AStoreThatIsAwayHoldsUpWhatIsYoungAndRefusesWhatIsOld) {
  std::atomic<bool> away = true;
  database_.Always([&](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    if (away) return absl::UnavailableError("the store is away");
    return database_.Do(batch);
  });
  Send("old", "id");
  ASSERT_TRUE(Asked(2));
  EXPECT_THAT(waiter_->Take(), IsEmpty());
  now_ms_ += 2'001;
  const auto outcomes = Outcomes(1);
  // While the store was being asked, nobody knew.
  EXPECT_THAT(outcomes, ElementsAre(::testing::AnyOf("old: UNAVAILABLE", "old: UNKNOWN")));
  away = false;
  // What was given up may be in its line yet, and then takes those behind it along.
  EXPECT_TRUE(Eventually([&] {
    Send("young");
    const auto young = Outcomes(1);
    return !young.empty() && !young.back().ends_with("UNAVAILABLE");
  }));
  EXPECT_THAT(database_.Texts("red"), ::testing::Contains(::testing::StartsWith("young@")));
}

TEST_F(DurableLogTest, WhoWaitsTooLongForAnAnswerIsToldThatNobodyKnows) {
  database_.Hold();
  Send("one", "id");
  ASSERT_TRUE(Asked(1));
  now_ms_ += 2'001;
  EXPECT_THAT(Outcomes(1), ElementsAre("one: UNKNOWN"));
  database_.Release();
  ASSERT_TRUE(Eventually([&] { return table_->Get("red")->offset == 1; })) << "it is not given up";
  EXPECT_TRUE(table_->Send("red", "ann", kEverybody, "one", "id")->repeated);
}

TEST_F(DurableLogTest, WhatWaitsAtTheEndIsRefused) {
  database_.Hold();
  Send("one");
  ASSERT_TRUE(Asked(1));
  Send("two");
  log_->Stop();
  EXPECT_THAT(Outcomes(2), ElementsAre("one: UNKNOWN", "two: UNAVAILABLE"));
}

// Senders into many rooms, while answers are lost: each log is whole, and says what was answered.
TEST_F(DurableLogTest, ConnectionsAreOpenedAtOnceAndAllOfThemOrNone) {
  DurableLog log({}, slots_, listener_);
  std::atomic<int> opened = 0;
  std::atomic<bool> away = true;
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<Store>> {
    const int number = ++opened;
    // Behind the first one, each waits for the other three.
    if (number > 1 && !Eventually([&] { return opened >= 4; })) return absl::InternalError("opened alone");
    if (number == 3 && away) return absl::UnavailableError("away");
    return std::make_unique<FakeStore>(database_);
  };
  EXPECT_EQ(log.Start(*table_, 7, open), absl::UnavailableError("away"));
  EXPECT_FALSE(log.started());
  opened = 0;
  away = false;
  EXPECT_TRUE(log.Start(*table_, 7, open).ok());
  EXPECT_TRUE(log.started());
  EXPECT_EQ(opened, 4);
  log.Stop();
}

TEST_F(DurableLogTest, ManyRoomsAndLostAnswers) {
  constexpr int kRooms = 12;
  constexpr int kSends = 60;
  for (int r = 0; r < kRooms; ++r) ASSERT_TRUE(table_->Open(LoggedRoom(fmt::format("room-{}", r))).ok());
  std::atomic<int> count = 0;
  database_.Always([&](const AppendBatch& batch) -> absl::StatusOr<AppendAnswer> {
    const int n = ++count;
    if (n % 7 == 1) return Lost();
    AppendAnswer answer = database_.Do(batch);
    if (n % 7 == 3) return Lost();
    return answer;
  });
  std::vector<std::thread> senders;
  for (int s = 0; s < 3; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < kSends; ++i)
        Send(fmt::format("{}/{}", s, i), "", fmt::format("room-{}", i % kRooms));
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(Outcomes(size_t{3} * kSends).size(), size_t{3} * kSends);
  size_t events = 0;
  for (int r = 0; r < kRooms; ++r) {
    int64_t offset = 0;
    std::map<std::string, int> last;
    for (const LoggedEvent& event : database_.Events(fmt::format("room-{}", r))) {
      ASSERT_EQ(event.offset, ++offset);
      const size_t slash = event.content.find('/');
      const int i = std::stoi(event.content.substr(slash + 1));
      int& before = last.emplace(event.content.substr(0, slash), -1).first->second;
      ASSERT_LT(before, i) << "each sender's are in order";
      before = i;
      ++events;
    }
  }
  EXPECT_EQ(events, size_t{3} * kSends);
  EXPECT_EQ(log_->counters().events.value(), events);
  EXPECT_GT(log_->counters().repeats.value(), 0u);
}

}  // namespace
}  // namespace hubbub::chat
