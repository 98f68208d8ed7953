#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/checker.h"
#include "bench/histogram.h"
#include "bench/options.h"
#include "bench/usage.h"

namespace hubbub::bench {

// What one load has shown.
struct Result {
  // Sign-in of all clients, from the first connection to the last answer to enter.
  double connect_seconds = 0;
  uint64_t entered = 0;
  std::vector<Usage> before, entered_usage, measured_from,
      measured_to;  // Of the servers, in the options' order.

  double measured_seconds = 0;
  uint64_t deliveries = 0;  // While it was measured; so are the next two.
  uint64_t answers = 0;
  double own_cpu_seconds = 0;
  Histogram latency_ns, lateness_ns, enter_ns;

  uint64_t sent = 0, all_deliveries = 0, expected = 0;  // Warm-up and drain included.
  Faults faults;
  uint64_t error_count = 0;
  std::vector<std::string> errors;  // The first few, each once.

  bool ok() const { return error_count == 0 && !faults.any(); }
  void AddError(const std::string& error);
};

std::string ToJson(const Options& options, const Result& result);
// A few lines to read.
std::string ToText(const Options& options, const Result& result);

}  // namespace hubbub::bench
