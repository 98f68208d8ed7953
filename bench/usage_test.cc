#include "bench/usage.h"

#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

using ::testing::HasSubstr;

TEST(Usage, ServersHaveNamesAndProcesses) {
  const auto servers = ParseServers("gate-1=12,34");
  ASSERT_TRUE(servers.ok());
  ASSERT_EQ(servers->size(), 2u);
  EXPECT_EQ((*servers)[0].name, "gate-1");
  EXPECT_EQ((*servers)[0].pid, 12);
  EXPECT_EQ((*servers)[1].name, "34");
  EXPECT_EQ((*servers)[1].pid, 34);
  EXPECT_TRUE(ParseServers("")->empty());
}

TEST(Usage, WhatIsNoProcessIsNamed) {
  for (const char* wrong : {"gate=", "gate=x", "gate=-1", "1x", "a=1,,b=2"}) {
    EXPECT_THAT(std::string(ParseServers(wrong).status().message()), HasSubstr("is no process")) << wrong;
  }
}

TEST(Usage, AProcessThatRunsUsesMemory) {
  const auto usage = UsageOf(Server{.name = "this", .pid = getpid()});
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_GT(usage->resident_bytes, 100'000u);
  EXPECT_GE(usage->cpu_seconds, 0);
}

TEST(Usage, AProcessThatHasEndedIsAnError) {
  const auto usage = UsageOf(Server{.name = "gone", .pid = 1 << 30});
  EXPECT_THAT(std::string(usage.status().message()), HasSubstr("gone"));
}

}  // namespace
}  // namespace hubbub::bench
