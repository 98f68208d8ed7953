#include "services/process.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace hubbub {
namespace {

sigset_t TerminationSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void SetUpLog(std::string_view level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("hubbub"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  for (const auto known : {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                           spdlog::level::warn, spdlog::level::err}) {
    const auto name = spdlog::level::to_string_view(known);
    const std::string_view text =
        known == spdlog::level::warn ? "warn" : std::string_view(name.data(), name.size());
    if (text == level) return spdlog::set_level(known);
  }
  Die("hubbub", absl::InvalidArgumentError("--log_level must be trace, debug, info, warn or error, not '" +
                                           std::string(level) + "'"));
}

void BlockSignals() {
  const sigset_t signals = TerminationSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int RunUntilSignal(std::chrono::milliseconds period, const std::function<void()>& tick) {
  const sigset_t signals = TerminationSignals();
  const timespec timeout{.tv_sec = period.count() / 1000, .tv_nsec = period.count() % 1000 * 1'000'000};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &timeout);
    if (signal > 0) return signal;
    tick();
  }
}

bool WaitUntil(const std::function<bool()>& done, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void PrintReady(std::string_view id, std::string_view grpc_address, std::string_view client_address) {
  std::string line = "ready id=" + std::string(id) + " grpc=" + std::string(grpc_address);
  if (!client_address.empty()) line += " client=" + std::string(client_address);
  std::puts(line.c_str());
  std::fflush(stdout);
}

void Die(std::string_view program, const absl::Status& status) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(),
               std::string(status.message()).c_str());
  std::exit(2);  // NOLINT(concurrency-mt-unsafe): main has started nothing yet.
}

}  // namespace hubbub
