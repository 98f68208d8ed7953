#include "services/program/process.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "services/base/log.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

// nohup and the like start a program with this, so that it outlives its terminal.
bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t OurSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  // A blocked signal stays pending though it is ignored, and would be taken.
  if (!IsIgnored(SIGHUP)) sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int RunUntilSignal(std::chrono::milliseconds period, const std::function<void()>& tick) {
  const sigset_t signals = OurSignals();
  const timespec timeout{.tv_sec = period.count() / 1000, .tv_nsec = period.count() % 1000 * 1'000'000};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &timeout);
    if (signal == SIGUSR1) {
      LogMore(1);
    } else if (signal == SIGUSR2) {
      LogMore(-1);
    } else if (signal > 0) {
      return signal;
    } else {
      tick();
    }
  }
}

void WarnOfRoot() {
  if (geteuid() != 0) return;
  spdlog::warn(
      "this program runs as root and needs no such rights: start it as a user of its own, because an "
      "attacker who finds a fault in it would have these rights too");
}

void UseBatchScheduling() {
  // Another policy was chosen on purpose, for example with chrt.
  if (sched_getscheduler(0) != SCHED_OTHER) return;
  const sched_param none = {};
  if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
    spdlog::debug("threads are scheduled in the ordinary way: SCHED_BATCH is not possible here ({})",
                  std::system_category().message(errno));
}

std::string ReadyLine(const LogOptions& log, std::string_view id, std::string_view grpc_address,
                      std::string_view client_address) {
  if (log.format == "json") {
    const std::string payload = "ready" + LogFields({{"grpc", grpc_address}, {"client", client_address}});
    spdlog::memory_buf_t line;
    MakeJsonFormatter(std::string(id))->format({"", spdlog::level::info, payload}, line);
    return {line.data(), line.size()};
  }
  std::string line = "ready id=" + std::string(id) + " grpc=" + std::string(grpc_address);
  if (!client_address.empty()) line += " client=" + std::string(client_address);
  return line + "\n";
}

void PrintReady(const LogOptions& log, std::string_view id, std::string_view grpc_address,
                std::string_view client_address) {
  std::fputs(ReadyLine(log, id, grpc_address, client_address).c_str(), stdout);
  std::fflush(stdout);
}

void Die(std::string_view program, const absl::Status& status) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(),
               std::string(status.message()).c_str());
  // Not exit: threads may run by now that use what it would destroy.
  std::fflush(nullptr);
  std::_Exit(2);
}

}  // namespace hubbub::program
