#include <algorithm>
#include <string>

#include "services/socketio/engine_packet.h"
#include "services/testing/fuzz_check.h"

// A payload that may say anything, in each of the protocols' forms, which the first byte chooses. What can be
// read can be written as text and be read again.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hubbub::socketio;  // NOLINT(google-build-using-namespace)
  std::string_view input = FuzzInput(data, size);
  if (input.empty()) return 0;
  const EngineVersion version = (input.front() & 1) != 0 ? EngineVersion::k3 : EngineVersion::k4;
  const bool octets = (input.front() & 2) != 0;
  input.remove_prefix(1);
  if (const auto packet = DecodeBytes(version, input); packet.ok())
    FUZZ_CHECK(packet->binary && packet->data.size() <= input.size());
  const auto packets = DecodePayload(version, input, octets);
  if (!packets.ok()) return 0;
  FUZZ_CHECK(!packets->empty() && packets->size() <= kMostPackets);
  std::string payload;
  std::vector<EnginePacket> texts;
  for (const EnginePacket& packet : *packets) {
    if (packet.binary || packet.data.find('\x1e') != std::string::npos) continue;
    // Bytes that are no UTF-8 have no length in protocol 3.
    if (version == EngineVersion::k3 && std::any_of(packet.data.begin(), packet.data.end(),
                                                    [](char c) { return static_cast<signed char>(c) < 0; }))
      continue;
    AppendToPayload(version, DigitOf(packet.type) + packet.data, payload);
    texts.push_back(packet);
  }
  if (texts.empty()) return 0;
  const auto again = DecodePayload(version, payload, false);
  FUZZ_CHECK(again.ok() && *again == texts);
  return 0;
}
