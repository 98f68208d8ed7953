#include "services/program/process.h"

#include <sched.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;

// In a process of its own, because a signal's disposition is the process's: raises `signal` at the first tick
// and SIGTERM at the second. The answer is the signal that ended RunUntilSignal; 0 if it was none.
int EndedBy(int signal, bool ignored) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(signal, ignored ? SIG_IGN : SIG_DFL);
    BlockSignals();
    int ticks = 0;
    const int ended_by =
        RunUntilSignal(milliseconds(1), [&] { std::raise(++ticks == 1 ? signal : SIGTERM); });
    _exit(ended_by);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

TEST(Process, SignalsChangeTheLogsLevelStepByStep) {
  BlockSignals();
  const struct {
    int signal;
    spdlog::level::level_enum after;
  } steps[] = {
      {SIGUSR1, spdlog::level::debug}, {SIGUSR1, spdlog::level::trace}, {SIGUSR1, spdlog::level::trace},
      {SIGUSR2, spdlog::level::debug}, {SIGUSR2, spdlog::level::info},  {SIGUSR2, spdlog::level::warn},
      {SIGUSR2, spdlog::level::err},   {SIGUSR2, spdlog::level::err},   {SIGUSR1, spdlog::level::warn},
  };
  const auto before = spdlog::get_level();
  spdlog::set_level(spdlog::level::info);
  std::vector<spdlog::level::level_enum> levels;
  size_t sent = 0;
  const int last = RunUntilSignal(std::chrono::milliseconds(1), [&] {
    if (sent > 0) levels.push_back(spdlog::get_level());
    // Pending at once: the next wait takes it.
    std::raise(sent < std::size(steps) ? steps[sent].signal : SIGTERM);
    ++sent;
  });
  spdlog::set_level(before);
  EXPECT_EQ(last, SIGTERM);
  ASSERT_EQ(levels.size(), std::size(steps));
  for (size_t i = 0; i < levels.size(); ++i) EXPECT_EQ(levels[i], steps[i].after) << "step " << i;
}

TEST(Process, EndsByTheSignalsThatAskForIt) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) EXPECT_EQ(EndedBy(signal, false), signal) << signal;
}

TEST(Process, OneThatOutlivesItsTerminalIsNotEndedByIt) {
  EXPECT_EQ(EndedBy(SIGHUP, /*ignored=*/true), SIGTERM);
}

TEST(Process, TheLineThatItIsReadyHasTheLogsFormat) {
  EXPECT_EQ(ReadyLine({}, "gate-1", "127.0.0.1:4014", "127.0.0.1:3014"),
            "ready id=gate-1 grpc=127.0.0.1:4014 client=127.0.0.1:3014\n");
  EXPECT_EQ(ReadyLine({}, "chat-1", "127.0.0.1:6050", ""), "ready id=chat-1 grpc=127.0.0.1:6050\n");
  const std::string json = ReadyLine({.format = "json"}, "gate-1", "[::1]:4014", "127.0.0.1:3014");
  EXPECT_THAT(json, EndsWith(R"(","level":"info","server":"gate-1","message":"ready","grpc":"[::1]:4014",)"
                             R"("client":"127.0.0.1:3014"})"
                             "\n"));
  EXPECT_THAT(ReadyLine({.format = "json"}, "chat-1", "a:1", ""),
              EndsWith(R"("message":"ready","grpc":"a:1"})"
                       "\n"));
}

// The policy that threads have which start after the call, where the process had `policy`.
int PolicyAfter(int policy) {
  const pid_t child = fork();
  if (child == 0) {
    const sched_param none = {};
    if (sched_setscheduler(0, policy, &none) != 0) _exit(255);
    UseBatchScheduling();
    int of_thread = 0;
    std::thread([&] { of_thread = sched_getscheduler(0); }).join();
    _exit(of_thread);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 254;
}

TEST(Process, ThreadsThatStartLaterAreABatch) {
  EXPECT_EQ(PolicyAfter(SCHED_OTHER), SCHED_BATCH);
}

TEST(Process, AnotherWayThatWasChosenStays) {
  EXPECT_EQ(PolicyAfter(SCHED_IDLE), SCHED_IDLE);
}

}  // namespace
}  // namespace hubbub::program
