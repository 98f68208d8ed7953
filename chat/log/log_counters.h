#pragma once

#include "services/metrics/counter.h"

namespace hubbub::chat {

// What all lanes of a server have done. Thread-safe.
struct LogCounters {
  metrics::Counter commits;        // Batches that the store has done,
  metrics::Counter commit_micros;  // and how long they took, from the first sending on, in sum.
  metrics::Counter events;         // Events that were published from them.
  metrics::Counter errors;         // Answers of the store that were errors.
  metrics::Counter repeats;        // Batches in doubt that were sent again, each time.
  metrics::Counter fenced;         // Slots that were passed over, because they are another server's.
  metrics::Counter stale;          // Rooms that the log knew better.
  metrics::Counter refused;        // Events that the store refuses by themselves.
  metrics::Counter rooms_read;     // Rooms that were read from the store,
  metrics::Counter read_errors;    // and reads that failed.
};

}  // namespace hubbub::chat
