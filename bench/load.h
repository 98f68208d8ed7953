#pragma once

#include "absl/status/statusor.h"
#include "bench/options.h"
#include "bench/result.h"

namespace hubbub::bench {

// Signs all clients in, lets them send, measures, waits for the last deliveries and checks them. One thread;
// takes no longer than the options' times together. What the servers do wrong is in the result; an error is
// what kept it from being measured at all.
absl::StatusOr<Result> RunLoad(const Options& options);

}  // namespace hubbub::bench
