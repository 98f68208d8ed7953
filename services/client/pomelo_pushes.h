#pragma once

#include <array>

#include "services/client/contract.h"
#include "services/client/push_encoding.h"

namespace hubbub::client {

// The encodings of pushes to Pomelo's clients: each WireFormat, on TCP and in binary frames. Immutable, so
// thread-safe. Owned beside the PushEncodings; refers to them and to the contract.
class PomeloPushes {
 public:
  // Adds them to `encodings`.
  PomeloPushes(const ClientContract& contract, PushEncodings& encodings);

  const PushEncoding& Of(WireFormat format, net::Framing framing) const;

 private:
  std::array<const PushEncodings::Group*, kWireFormats> groups_;  // By WireFormat.
};

}  // namespace hubbub::client
