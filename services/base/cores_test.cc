#include "services/base/cores.h"

#include <sched.h>

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

using Files = std::map<std::string, std::string>;

std::optional<double> QuotaIn(const Files& files) {
  return CpuQuota([&files](const std::string& path) -> std::optional<std::string> {
    const auto it = files.find(path);
    if (it == files.end()) return std::nullopt;
    return it->second;
  });
}

constexpr const char* kMount2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kMount1 =
    "31 23 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n";
// What a container of version 1 without a namespace of groups sees.
constexpr const char* kMountOfContainer1 =
    "32 23 0:28 /docker/ab12 /sys/fs/cgroup/cpu,cpuacct ro master:10 - cgroup cgroup rw,cpu,cpuacct\n";

TEST(Cores, TheQuotaIsTheLeastOfAllGroupsAroundTheProcess) {
  const struct {
    const char* what;
    Files files;
    std::optional<double> quota;
  } cases[] = {
      {"no groups at all", {}, std::nullopt},
      {"version 2, a container's own namespace",
       {{"/proc/self/cgroup", "0::/\n"},
        {"/proc/self/mountinfo", kMount2},
        {"/sys/fs/cgroup/cpu.max", "150000 100000\n"}},
       1.5},
      {"version 2, a service of systemd within a slice that has less",
       {{"/proc/self/cgroup", "0::/chat.slice/hubbub.service\n"},
        {"/proc/self/mountinfo", kMount2},
        {"/sys/fs/cgroup/chat.slice/cpu.max", "50000 100000\n"},
        {"/sys/fs/cgroup/chat.slice/hubbub.service/cpu.max", "400000 100000\n"}},
       0.5},
      {"version 2, no limit",
       {{"/proc/self/cgroup", "0::/a\n"},
        {"/proc/self/mountinfo", kMount2},
        {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}},
       std::nullopt},
      {"version 2, another period",
       {{"/proc/self/cgroup", "0::/\n"},
        {"/proc/self/mountinfo", kMount2},
        {"/sys/fs/cgroup/cpu.max", "20000 10000\n"}},
       2},
      {"version 1",
       {{"/proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a/b\n0::/\n"},
        {"/proc/self/mountinfo", kMount1},
        {"/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"},
        {"/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"},
        {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"},
        {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
       3},
      {"version 1, in a container without a namespace of groups",
       {{"/proc/self/cgroup", "4:cpu,cpuacct:/docker/ab12\n"},
        {"/proc/self/mountinfo", kMountOfContainer1},
        {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "25000\n"},
        {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}},
       0.25},
      {"both versions: one that counts and one that does not",
       {{"/proc/self/cgroup", "4:cpu:/\n0::/\n"},
        {"/proc/self/mountinfo", std::string("29 23 0:25 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n") +
                                     "32 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"},
        {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n"},
        {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
       2},
      {"files that make no sense",
       {{"/proc/self/cgroup", "nonsense\n::\n\n0::/\n"},
        {"/proc/self/mountinfo", std::string("- cgroup2\n\n") + kMount2},
        {"/sys/fs/cgroup/cpu.max", "\n"}},
       std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(QuotaIn(c.files), c.quota) << c.what;
}

TEST(Cores, NoMoreThanTheAffinityHasAndOneAtLeast) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(UsableCores(), 1);
  EXPECT_LE(UsableCores(), CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(UsableCores(), 1);
  sched_setaffinity(0, sizeof before, &before);
}

}  // namespace
}  // namespace hubbub
