#include "services/process.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

using std::chrono::milliseconds;

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

TEST(Process, EndsByTheSignalsThatAskForIt) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) EXPECT_EQ(EndedBy(signal, false), signal) << signal;
}

TEST(Process, OneThatOutlivesItsTerminalIsNotEndedByIt) {
  EXPECT_EQ(EndedBy(SIGHUP, /*ignored=*/true), SIGTERM);
}

}  // namespace
}  // namespace hubbub
