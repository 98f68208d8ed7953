#include "services/program/home_core.h"

#include <memory>
#include <set>

#include "gtest/gtest.h"

namespace hubbub::program {
namespace {

// A process on a machine of two cores or more, a second at a time.
class Machine {
 public:
  explicit Machine(int cores, unsigned seed = 1) {
    for (int core = 0; core < cores; ++core) sample_.idle[core] = HomeCore::Seconds(0);
    home_ = std::make_unique<HomeCore>(sample_, seed);
  }
  // What the process used and waited, and the idle share of its core and of each other one.
  void Second(double used, double waited, double idle_here, double idle_elsewhere) {
    sample_.at += std::chrono::seconds(1);
    sample_.used += HomeCore::Seconds(used);
    sample_.waited += HomeCore::Seconds(waited);
    for (auto& [core, idle] : sample_.idle)
      idle += HomeCore::Seconds(core == home_->core() ? idle_here : idle_elsewhere);
    changed_ = home_->Update(sample_);
  }
  int core() const { return home_->core(); }
  bool changed() const { return changed_; }
  HomeCore::Sample& sample() { return sample_; }
  HomeCore& home() { return *home_; }

 private:
  HomeCore::Sample sample_;
  std::unique_ptr<HomeCore> home_;
  bool changed_ = false;
};

// Waits much on a busy machine, until it has a home.
void Settle(Machine& machine) {
  machine.Second(0.3, 0.5, 0.0, 0.0);
  ASSERT_NE(machine.core(), HomeCore::kAnywhere);
}

TEST(HomeCore, RunsAnywhereWhileItNeedNotWait) {
  Machine machine(2);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
  for (const double used : {0.01, 0.3, 0.9, 1.7}) {
    machine.Second(used, 0.1, 0.5, 0.5);
    EXPECT_EQ(machine.core(), HomeCore::kAnywhere) << used;
    EXPECT_FALSE(machine.changed());
  }
}

TEST(HomeCore, KeepsToOneCoreOnceItWaits) {
  std::set<int> cores;
  for (unsigned seed = 1; seed < 50; ++seed) {
    Machine machine(3, seed);
    machine.Second(0.3, 0.5, 0.0, 0.0);
    EXPECT_TRUE(machine.changed());
    cores.insert(machine.core());
  }
  EXPECT_EQ(cores, (std::set<int>{0, 1, 2})) << "not all servers of a machine on the same one";
}

TEST(HomeCore, OneThatNeedsMoreThanACoreKeepsToNone) {
  Machine machine(2);
  machine.Second(1.3, 0.5, 0.0, 0.0);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
}

TEST(HomeCore, StaysWhileMovingHelpsNobody) {
  const struct {
    double used, waited, idle_here, idle_elsewhere;
  } cases[] = {
      {0.4, 0.5, 0.0, 0.0},  // All cores are busy.
      {0.4, 0.5, 0.0, 0.2},  // The other one is hardly better.
      {0.4, 0.1, 0.3, 0.3},  // It waits less than it did.
      {0.9, 0.5, 0.0, 0.1},  // It needs more, and there is no more.
  };
  for (const auto& c : cases) {
    Machine machine(2);
    Settle(machine);
    const int core = machine.core();
    for (int i = 0; i < 20; ++i) {
      machine.Second(c.used, c.waited, c.idle_here, c.idle_elsewhere);
      EXPECT_EQ(machine.core(), core) << c.used << ' ' << c.waited;
    }
  }
}

TEST(HomeCore, MovesToAnIdleCoreWhenItWaits) {
  Machine machine(2);
  Settle(machine);
  const int core = machine.core();
  int seconds = 0;
  while (machine.core() == core && ++seconds < 100) machine.Second(0.3, 0.4, 0.0, 0.7);
  EXPECT_EQ(machine.core(), 1 - core);
}

TEST(HomeCore, NotAllThatWaitMoveAtOnce) {
  int moved = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Machine machine(2, seed);
    Settle(machine);
    machine.Second(0.3, 0.4, 0.0, 0.7);
    moved += machine.changed() ? 1 : 0;
  }
  EXPECT_GT(moved, 5);
  EXPECT_LT(moved, 35);
}

TEST(HomeCore, RunsAnywhereAgainWhenItNeedsMoreOrNobodyWaits) {
  Machine machine(2);
  Settle(machine);
  machine.Second(0.95, 0.3, 0.0, 0.9);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
  machine.Second(0.7, 0.5, 0.0, 0.1);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere) << "it does not go to and fro";
  Settle(machine);
  machine.Second(0.2, 0.01, 0.5, 0.5);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
}

TEST(HomeCore, LeavesACoreThatMayNotBeUsedAnyMore) {
  Machine machine(3);
  Settle(machine);
  const int core = machine.core();
  machine.sample().idle.erase(core);
  machine.Second(0.3, 0.5, 0.0, 0.0);
  EXPECT_TRUE(machine.changed());
  EXPECT_NE(machine.core(), core);
}

TEST(HomeCore, WhereNothingIsKnownItRunsAnywhere) {
  Machine machine(0);
  machine.Second(0.3, 0.5, 0.0, 0.0);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
}

TEST(HomeCore, LooksOnceASecondWhileItDoesSomething) {
  using std::chrono::milliseconds;
  using Seconds = HomeCore::Seconds;
  Machine machine(2);
  auto sample = machine.sample();
  sample.at += milliseconds(250);
  sample.waited += Seconds(5);
  EXPECT_FALSE(machine.home().Update(sample));

  const std::chrono::steady_clock::time_point start{std::chrono::hours(1)};
  EXPECT_FALSE(machine.home().Due(start, Seconds(0)));
  EXPECT_FALSE(machine.home().Due(start + milliseconds(999), Seconds(0.9)));
  EXPECT_TRUE(machine.home().Due(start + milliseconds(1'000), Seconds(0.9)));
  EXPECT_FALSE(machine.home().Due(start + milliseconds(2'000), Seconds(0.95))) << "it is quiet";
  Settle(machine);
  EXPECT_TRUE(machine.home().Due(start + milliseconds(3'000), Seconds(0.95))) << "it may go anywhere again";
}

TEST(HomeCore, WhatWasLongAgoDecidesNothing) {
  Machine machine(2);
  machine.sample().at += std::chrono::seconds(10);
  machine.Second(0.3, 9.0, 0.0, 0.0);
  EXPECT_EQ(machine.core(), HomeCore::kAnywhere);
  Settle(machine);
}

}  // namespace
}  // namespace hubbub::program
