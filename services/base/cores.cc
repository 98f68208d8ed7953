#include "services/base/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace hubbub {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(text)};
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Where a hierarchy of control groups is mounted, and which group of it is seen there as the topmost.
struct Mount {
  std::string root;
  std::string folder;
  bool is_v2;
};

// The mounts that tell of processor time.
std::vector<Mount> Mounts(const FileReader& read) {
  std::vector<Mount> mounts;
  for (const std::string& line : Split(read("/proc/self/mountinfo").value_or(""), '\n')) {
    // id parent device root folder options [tags …] - type source options
    const std::vector<std::string> words = Split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || std::distance(dash, words.end()) < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (is_v2 || (dash[1] == "cgroup" && Contains(Split(dash[3], ','), "cpu")))
      mounts.push_back({.root = words[3], .folder = words[4], .is_v2 = is_v2});
  }
  return mounts;
}

// The group of this process in the hierarchy of version 2, or in version 1's hierarchy for cpu.
std::optional<std::string> GroupOf(const std::vector<std::string>& lines, bool is_v2) {
  for (const std::string& line : lines) {  // number:controllers:group
    const size_t first = line.find(':');
    if (first == std::string::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_v2 ? line.starts_with("0::") : Contains(Split(controllers, ','), "cpu"))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<double> Number(std::string_view text) {
  double number = 0;
  std::istringstream in{std::string(text)};
  return in >> number ? std::optional(number) : std::nullopt;
}

// Of one group, whose files are in `folder`.
std::optional<double> QuotaOf(const FileReader& read, const std::string& folder, bool is_v2) {
  std::optional<double> quota;
  std::optional<double> period;
  if (is_v2) {
    // "max 100000", or microseconds of each period and the period.
    const std::vector<std::string> words = Split(read(folder + "/cpu.max").value_or(""), ' ');
    if (words.empty()) return std::nullopt;
    quota = Number(words[0]);
    period = words.size() > 1 ? Number(words[1]) : 100'000;
  } else {
    // -1 stands for none.
    quota = Number(read(folder + "/cpu.cfs_quota_us").value_or(""));
    period = Number(read(folder + "/cpu.cfs_period_us").value_or(""));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::optional<double> CpuQuota(const FileReader& read) {
  const std::vector<std::string> groups = Split(read("/proc/self/cgroup").value_or(""), '\n');
  std::optional<double> least;
  for (const Mount& mount : Mounts(read)) {
    std::string group = GroupOf(groups, mount.is_v2).value_or("/");
    // A container without a namespace of groups sees its group's name as it is outside, and of the files only
    // those of its own group.
    if (mount.root != "/" && group.starts_with(mount.root)) group.erase(0, mount.root.size());
    // Every group around it has a say.
    while (true) {
      while (group.ends_with('/')) group.pop_back();
      if (const auto quota = QuotaOf(read, mount.folder + group, mount.is_v2))
        least = std::min(least.value_or(*quota), *quota);
      if (group.empty()) break;
      group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
    }
  }
  return least;
}

int UsableCores() {
  cpu_set_t affinity;
  CPU_ZERO(&affinity);
  // It fails where there are more than 1,024 cores.
  const int cores = sched_getaffinity(0, sizeof affinity, &affinity) == 0
                        ? CPU_COUNT(&affinity)
                        : static_cast<int>(std::thread::hardware_concurrency());
  const double quota = std::ceil(CpuQuota(ReadFile).value_or(cores));
  return std::max(1, static_cast<int>(std::min<double>(cores, quota)));
}

}  // namespace hubbub
