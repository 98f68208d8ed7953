#pragma once

#include <functional>
#include <optional>
#include <string>

namespace hubbub {

// How many cores this process may use at a time, one at least: those of its affinity, but no more than the
// quota of its control groups, rounded up, allows. A container's limit of processor time is such a quota.
// Reads files of /proc and /sys: for start-up. Thread-safe.
int UsableCores();

// The content of a file; nothing if it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;

// The least quota, in cores, of the process's control groups and those around them, of version 2 (cpu.max)
// and 1 (cpu.cfs_quota_us): 1.5 is one core and a half. Nothing if there is none. Formats: cgroups(7),
// proc(5) and the kernel's cgroup-v2.rst and sched-bwc.rst.
std::optional<double> CpuQuota(const FileReader& read);

}  // namespace hubbub
