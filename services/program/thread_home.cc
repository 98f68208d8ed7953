#include "services/program/thread_home.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "services/base/cpu_load.h"
#include "services/base/entropy.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

using Seconds = HomeCore::Seconds;

cpu_set_t AllowedCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  return cores;
}

// Calls `visit` with the id of each thread.
template <typename Visit>
void EachThread(Visit visit) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename();
    pid_t id = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), id).ec == std::errc()) visit(id);
  }
}

// proc(5): a thread's nanoseconds on a core, then those for which it has waited for one.
Seconds Waited() {
  Seconds sum{0};
  EachThread([&](pid_t id) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/schedstat");
    double ran = 0;
    double waited = 0;
    if (file >> ran >> waited) sum += Seconds(waited / 1e9);
  });
  return sum;
}

}  // namespace

ThreadHome::ThreadHome() : allowed_(AllowedCores()), home_(Look(), static_cast<unsigned>(Entropy()())) {}

void ThreadHome::Tick() {
  if (home_.Due(std::chrono::steady_clock::now(), CpuLoad::Used()) && home_.Update(Look())) Apply();
}

HomeCore::Sample ThreadHome::Look() const {
  HomeCore::Sample sample;
  sample.at = std::chrono::steady_clock::now();
  sample.used = CpuLoad::Used();
  sample.waited = Waited();
  // proc(5): "cpuN user nice system idle iowait …", in ticks.
  const auto per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (!line.starts_with("cpu")) break;
    std::istringstream fields(line.substr(3));
    int core = 0;
    double user = 0, nice = 0, system = 0, idle = 0, io_wait = 0;
    if (line.starts_with("cpu ") || !(fields >> core >> user >> nice >> system >> idle >> io_wait)) continue;
    if (core >= 0 && core < CPU_SETSIZE && CPU_ISSET(core, &allowed_))
      sample.idle[core] = Seconds((idle + io_wait) / per_second);
  }
  return sample;
}

void ThreadHome::Apply() {
  cpu_set_t cores = allowed_;
  if (home_.core() != HomeCore::kAnywhere) {
    CPU_ZERO(&cores);
    CPU_SET(home_.core(), &cores);
  }
  // A thread that is created during a round inherits the cores of its creator: the second round reaches it.
  for (int round = 0; round < 2; ++round)
    EachThread([&](pid_t id) { sched_setaffinity(id, sizeof cores, &cores); });
  spdlog::debug("threads run on core {} (-1: on any)", home_.core());
}

}  // namespace hubbub::program
