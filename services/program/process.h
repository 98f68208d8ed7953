#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/base/log.h"

namespace hubbub::program {

// What main has in common in all programs.

// Blocks the signals that RunUntilSignal takes, for the whole process. Call it before any thread starts.
void BlockSignals();

// Calls `tick` every `period` until SIGTERM, SIGINT or SIGHUP arrives; answers the signal's number. SIGUSR1
// and SIGUSR2 make the log say more, and less. SIGHUP does nothing in a program that was started with it
// ignored, as nohup does.
int RunUntilSignal(std::chrono::milliseconds period, const std::function<void()>& tick);

// Says in the log that the program runs as root, if it does. For main, once the program serves.
void WarnOfRoot();

// Has Linux run this process's threads as a batch (SCHED_BATCH of sched(7)), if it runs them in the ordinary
// way now; a system that refuses is logged at debug. Threads take it from who starts them: call it before any
// thread starts.
void UseBatchScheduling();

// The one line on standard output that says that the program serves now: `ready id=ID grpc=HOST:PORT
// client=HOST:PORT`, or the same as a line of the log with --log_format=json. Without what is empty.
std::string ReadyLine(const LogOptions& log, std::string_view id, std::string_view grpc_address,
                      std::string_view client_address);
void PrintReady(const LogOptions& log, std::string_view id, std::string_view grpc_address,
                std::string_view client_address);

// Prints one line that says what is wrong, and exits with code 2.
[[noreturn]] void Die(std::string_view program, const absl::Status& status);

}  // namespace hubbub::program
