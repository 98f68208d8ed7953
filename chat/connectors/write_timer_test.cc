#include "chat/connectors/write_timer.h"

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using Clock = WriteTimer::Clock;
using std::chrono::hours;
using std::chrono::milliseconds;

TEST(WriteTimer, CallsWhenItIsTimeAndNotBefore) {
  WriteTimer timer;
  const auto due = Clock::now() + milliseconds(5);
  Clock::time_point called;
  std::latch done(1);
  timer.CallBy(due, [&] {
    called = Clock::now();
    done.count_down();
  });
  done.wait();
  EXPECT_GE(called, due);
}

TEST(WriteTimer, TheFirstThatIsDueTakesTheOthersAlong) {
  WriteTimer timer;
  std::latch done(3);
  for (const auto due : {Clock::now() + hours(1), Clock::now(), Clock::now() + hours(2)})
    timer.CallBy(due, [&] { done.count_down(); });
  // The second may have been called before the third came.
  timer.CallBy(Clock::now(), [] {});
  done.wait();
}

TEST(WriteTimer, WhatWasDueLongAgoIsCalledAtOnce) {
  WriteTimer timer;
  std::latch done(1);
  timer.CallBy(Clock::now() - hours(1), [&] { done.count_down(); });
  done.wait();
}

TEST(WriteTimer, OneThatIsCalledMayAskAgain) {
  WriteTimer timer;
  std::latch done(1);
  timer.CallBy(Clock::now(), [&] { timer.CallBy(Clock::now(), [&] { done.count_down(); }); });
  done.wait();
}

TEST(WriteTimer, ManyThreadsAskAndEveryOneIsCalledOnce) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 1'000;
  WriteTimer timer;
  std::atomic<int> calls = 0;
  std::latch done(kThreads * kCalls);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kCalls; ++i) {
        timer.CallBy(Clock::now() + milliseconds(i % 3), [&] {
          ++calls;
          done.count_down();
        });
      }
    });
  }
  done.wait();
  EXPECT_EQ(calls, kThreads * kCalls);
}

TEST(WriteTimer, EndsWithoutCallingThoseThatStillWait) {
  bool called = false;
  {
    WriteTimer timer;
    timer.CallBy(Clock::now() + hours(1), [&] { called = true; });
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace hubbub::chat
