#include "services/program/process_metrics.h"

#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "services/program/memory_trim.h"

namespace hubbub::program {
namespace {

double CpuSeconds() {
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double OpenFiles() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++count;
  return count;
}

double MostFiles() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddProcessMetrics(metrics::Metrics& metrics, const directory::ServerInfo& self,
                       const directory::Directory& directory) {
  metrics.AddGauge(
      "hubbub_info", "Which server this is; always 1", [] { return 1.0; },
      {{"id", self.id}, {"kind", std::string(ToString(self.kind))}, {"version", HUBBUB_VERSION}});
  for (const directory::ServerKind kind :
       {directory::ServerKind::kGate, directory::ServerKind::kConnector, directory::ServerKind::kChat}) {
    metrics.AddGauge("hubbub_directory_servers", "Servers that this one knows of",
                     [&directory, kind] { return static_cast<double>(directory.servers()->of(kind).size()); },
                     {{"kind", std::string(ToString(kind))}});
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double started = std::chrono::duration<double>(now).count();
  metrics.AddGauge("process_start_time_seconds", "When the process started, in Unix time",
                   [started] { return started; });
  metrics.AddGauge("process_resident_memory_bytes", "Resident memory",
                   [] { return static_cast<double>(ResidentBytes()); });
  metrics.AddCounterOf("process_cpu_seconds_total", "Time on the processors, user and system", CpuSeconds);
  metrics.AddGauge("process_open_fds", "Open files and sockets", OpenFiles);
  metrics.AddGauge("process_max_fds", "Open files and sockets that the process may have", MostFiles);
}

}  // namespace hubbub::program
