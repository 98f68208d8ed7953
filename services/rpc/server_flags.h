#pragma once

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/flags.h"
#include "services/rpc/server.h"

// The flags of every program's gRPC server. This defines them: for main.cc alone.

ABSL_FLAG(bool, reflection, true, "Let grpcurl and the like ask which calls there are");
ABSL_FLAG(absl::Duration, max_connection_age, absl::ZeroDuration(),
          "A gRPC connection to this server ends when it is so old, give or take a tenth, so that back ends "
          "behind a layer-4 load balancer come to new servers too; 0 means never");
ABSL_FLAG(absl::Duration, max_connection_age_grace, absl::Minutes(10),
          "Calls under way go on for so long after --max_connection_age, and are cancelled then. That breaks "
          "the other servers' streams to this one: events are resumed where they were, sends are repeated if "
          "they have an id and answered with 503 if not. A long grace makes that rare");

namespace hubbub::rpc {

inline absl::Status CheckServerFlags() {
  absl::Status age = CheckFlag(FLAGS_max_connection_age, absl::ZeroDuration(), absl::Hours(168));
  return age.ok() ? CheckFlag(FLAGS_max_connection_age_grace, absl::ZeroDuration(), absl::Hours(168)) : age;
}

// `max_connections`: see ServerExtras.
inline ServerExtras ServerExtrasFromFlags(int max_connections) {
  return {
      .max_connections = max_connections,
      .max_connection_age = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_max_connection_age)),
      .max_connection_age_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_max_connection_age_grace))};
}

}  // namespace hubbub::rpc
