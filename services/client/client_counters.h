#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "services/client/client_protocol.h"
#include "services/metrics/counter.h"

namespace hubbub::client {

// The codes that clients' requests are answered with; 0 stands for all others.
inline constexpr std::array kRequestCodes = {200, 400, 401, 403, 404, 429, 500, 503, 504, 0};

struct ClientCounts {
  struct OfProtocol {
    uint64_t greeted = 0;  // Sessions whose hello was accepted.
    // Requests and notifies that were answered, by kRequestCodes.
    std::array<uint64_t, kRequestCodes.size()> requests = {};
  };
  std::array<OfProtocol, kProtocols.size()> protocols;  // By kProtocols.

  const OfProtocol& of(ProtocolKind protocol) const { return protocols[static_cast<size_t>(protocol)]; }
};

// What the sessions of one loop have done. Written on the loop, read by any thread.
class alignas(64) ClientCounters {
 public:
  void CountGreeted(ProtocolKind protocol) { of(protocol).greeted.Add(); }
  void CountRequest(ProtocolKind protocol, int code) {
    const auto* const known = std::find(kRequestCodes.begin(), kRequestCodes.end() - 1, code);
    of(protocol).requests[static_cast<size_t>(known - kRequestCodes.begin())].Add();
  }
  void AddTo(ClientCounts& sum) const {
    for (size_t p = 0; p < counters_.size(); ++p) {
      ClientCounts::OfProtocol& to = sum.protocols[p];
      to.greeted += counters_[p].greeted.value();
      for (size_t i = 0; i < to.requests.size(); ++i) to.requests[i] += counters_[p].requests[i].value();
    }
  }

 private:
  struct OfProtocol {
    metrics::SingleWriterNumber greeted;
    std::array<metrics::SingleWriterNumber, kRequestCodes.size()> requests;
  };

  OfProtocol& of(ProtocolKind protocol) { return counters_[static_cast<size_t>(protocol)]; }

  std::array<OfProtocol, kProtocols.size()> counters_;
};

}  // namespace hubbub::client
