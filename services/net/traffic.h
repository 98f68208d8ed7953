#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "services/metrics/counter.h"
#include "services/net/connection.h"

namespace hubbub::net {

// How TLS handshakes end. Each has one word for metrics.
enum class TlsHandshake { kFull, kResumed, kFailed };
inline constexpr std::array<std::string_view, 3> kTlsHandshakes = {"full", "resumed", "failed"};

// What the connections of one loop have done. Written on the loop, read by any thread. Bytes are those of the
// protocol; those that are sent count with the headers of their WebSocket frames.
struct alignas(64) TrafficCounters {
  metrics::SingleWriterNumber received_bytes;
  metrics::SingleWriterNumber sent_bytes;
  metrics::SingleWriterNumber queued_bytes;  // For clients now, with kPayloadCost for each payload.
  std::array<metrics::SingleWriterNumber, kCloseReasons.size()> closes;
  std::array<metrics::SingleWriterNumber, kTlsHandshakes.size()> handshakes;
};

// The same of all loops of a listener, at one moment.
struct Traffic {
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t queued_bytes = 0;
  std::array<uint64_t, kCloseReasons.size()> closes = {};       // By CloseReason.
  std::array<uint64_t, kTlsHandshakes.size()> handshakes = {};  // By TlsHandshake.

  void Add(const TrafficCounters& counters) {
    received_bytes += counters.received_bytes.value();
    sent_bytes += counters.sent_bytes.value();
    queued_bytes += counters.queued_bytes.value();
    for (size_t i = 0; i < closes.size(); ++i) closes[i] += counters.closes[i].value();
    for (size_t i = 0; i < handshakes.size(); ++i) handshakes[i] += counters.handshakes[i].value();
  }
  uint64_t closed(CloseReason reason) const { return closes[static_cast<size_t>(reason)]; }
};

}  // namespace hubbub::net
