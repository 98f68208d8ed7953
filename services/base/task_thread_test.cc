#include "services/base/task_thread.h"

#include <atomic>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "services/base/wait.h"

namespace hubbub {
namespace {

constexpr std::chrono::seconds kDeadline{20};
constexpr std::chrono::hours kNever{1};

TEST(TaskThreadTest, DoesTasksInTheirOrder) {
  TaskThread thread;
  thread.Start([] { return kNever; });
  std::vector<int> done;
  std::atomic<bool> all = false;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(thread.Post([&done, i] { done.push_back(i); }));
  EXPECT_TRUE(thread.Post([&] { all = true; }));
  EXPECT_TRUE(WaitUntil([&] { return all.load(); }, kDeadline));
  thread.Stop();
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

TEST(TaskThreadTest, ARoundComesAtTheStartThenWhenItsTimeIsOverOrWhenWoken) {
  TaskThread thread;
  std::atomic<int> rounds = 0;
  thread.Start([&]() -> std::chrono::milliseconds {
    ++rounds;
    if (rounds < 3) return std::chrono::milliseconds(1);
    return kNever;
  });
  EXPECT_TRUE(WaitUntil([&] { return rounds == 3; }, kDeadline));
  thread.Wake();
  EXPECT_TRUE(WaitUntil([&] { return rounds == 4; }, kDeadline));
}

TEST(TaskThreadTest, AThreadThatDoesNotRunTakesNoTask) {
  TaskThread thread;
  const auto held = std::make_shared<int>(1);
  EXPECT_FALSE(thread.Post([held] {}));
  thread.Start([] { return kNever; });
  thread.Stop();
  EXPECT_FALSE(thread.Post([held] {}));
  EXPECT_EQ(held.use_count(), 1) << "it is destroyed";
}

TEST(TaskThreadTest, StopDropsWhatHasNotBegunAndWaitsForWhatHas) {
  TaskThread thread;
  thread.Start([] { return kNever; });
  std::atomic<bool> begun = false;
  std::atomic<bool> ended = false;
  thread.Post([&] {
    begun = true;
    while (!thread.stopping()) thread.Pause(kNever);  // Until Stop.
    ended = true;
  });
  bool dropped = false;
  struct Note {
    bool& dropped;
    ~Note() { dropped = true; }
  };
  thread.Post([&, note = std::shared_ptr<Note>(new Note{dropped})] { FAIL() << "it began"; });
  EXPECT_TRUE(WaitUntil([&] { return begun.load(); }, kDeadline));
  thread.Stop();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(dropped);
}

TEST(TaskThreadTest, StopWithinTellsWhetherItHasEnded) {
  TaskThread thread;
  thread.Start([] { return kNever; });
  std::atomic<bool> go_on = false;
  std::atomic<bool> begun = false;
  thread.Post([&] {
    begun = true;
    go_on.wait(false);
  });
  EXPECT_TRUE(WaitUntil([&] { return begun.load(); }, kDeadline));
  EXPECT_FALSE(thread.StopWithin(std::chrono::milliseconds(1)));
  go_on = true;
  go_on.notify_all();
  EXPECT_TRUE(thread.StopWithin(kDeadline));
}

}  // namespace
}  // namespace hubbub
