#include "services/program/file_limit.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace hubbub::program {
namespace {

TEST(FileLimit, IsSharedBetweenClientsAndTheRest) {
  const struct {
    int64_t limit;
    int cores;
    int wanted;
    int clients;
    int grpc;
  } cases[] = {
      {1'048'576, 2, 100'000, 100'000, 1'000},  // What most machines allow.
      {20'000, 2, 100'000, 18'464, 984},
      {1'024, 2, 100'000, 797, 88},
      {1'024, 2, 500, 500, 422},
      {256, 2, 100'000, 164, 32},
      {256, 64, 100'000, 112, 16},  // Never less than half for clients.
      {64, 2, 100'000, 16, 16},
      {1'024, 2, 0, 0, 984},  // A chat server has no clients.
      {std::numeric_limits<int64_t>::max(), 2, 10'000'000, 10'000'000, 1'000},
  };
  for (const auto& c : cases) {
    const FileShares shares = ShareFiles(c.limit, c.cores, c.wanted);
    EXPECT_EQ(shares.clients, c.clients) << c.limit;
    EXPECT_EQ(shares.grpc, c.grpc) << c.limit;
  }
}

TEST(FileLimit, TheSoftOneBecomesTheHardOne) {
  const pid_t child = fork();  // A limit is the process's.
  if (child == 0) {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 100;
    limit.rlim_max = 150;
    setrlimit(RLIMIT_NOFILE, &limit);
    const int64_t raised = RaiseFileLimit();
    getrlimit(RLIMIT_NOFILE, &limit);
    _exit(raised == 150 && limit.rlim_cur == 150 && limit.rlim_max == 150 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace hubbub::program
