#pragma once

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "services/file_limit.h"
#include "services/log.h"
#include "services/process.h"

// The flags that every program has, whatever it serves. This defines them: for main.cc alone.

ABSL_FLAG(
    std::string, log_level, "info",
    "trace, debug, info, warn or error; the signal SIGUSR1 makes it one step more while the program runs, "
    "SIGUSR2 one less");
ABSL_FLAG(std::string, log_format, "text", "text, or json: one object a line");
ABSL_FLAG(bool, sched_batch, true,
          "Have Linux run this program's threads as a batch (SCHED_BATCH): none that wakes up takes the core "
          "from one that works, so each does more at a turn. Messages to many cost half of the CPU by it");

namespace hubbub {

// The start of main, once the flags are set, before any thread starts: signals, the log, how threads are
// scheduled, how many files may be open. `id`: this server's.
inline void SetUpProgram(std::string id) {
  BlockSignals();
  SetUpLog({.level = absl::GetFlag(FLAGS_log_level),
            .format = absl::GetFlag(FLAGS_log_format),
            .server = std::move(id)});
  RaiseFileLimit();
  if (absl::GetFlag(FLAGS_sched_batch)) UseBatchScheduling();
}

}  // namespace hubbub
