#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "services/client/socketio_protocol.h"
#include "services/client/testing/fake_session.h"
#include "services/socketio/packet.h"
#include "services/testing/fuzz_check.h"
#include "spdlog/spdlog.h"

// A client of Socket.IO that may say anything to a session whose program answers at once, later or never. The
// first byte of the input chooses the version, the program and whether states are recovered; then packets
// follow, one a line. Nothing may crash, whatever is written must be packets in whole frames, and no
// acknowledgement may be given that was not asked for.

namespace {

using namespace hubbub;          // NOLINT(google-build-using-namespace)
using namespace hubbub::client;  // NOLINT(google-build-using-namespace)

// How often each acknowledgement was asked for, or given: by its namespace and id.
using Acks = std::map<std::pair<std::string, std::string>, int>;

void Count(const socketio::Packet& packet, Acks& acks) {
  if (packet.id) ++acks[{std::string(packet.nsp), std::string(*packet.id)}];
}

// Takes a text frame from the front (RFC 6455, 5.2).
std::string_view TakeText(std::string_view& frames) {
  const auto byte = [&frames](size_t i) { return static_cast<unsigned char>(frames[i]); };
  FUZZ_CHECK(frames.size() >= 2 && byte(0) == 0x81 && byte(1) < 128);
  const size_t wide = byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
  FUZZ_CHECK(frames.size() >= 2 + wide);
  size_t size = wide == 0 ? byte(1) : 0;
  for (size_t i = 0; i < wide; ++i) size = size << 8 | byte(2 + i);
  FUZZ_CHECK(frames.size() >= 2 + wide + size);
  const std::string_view text = frames.substr(2 + wide, size);
  frames.remove_prefix(2 + wide + size);
  return text;
}

void Play(net::Loop& loop, std::string_view input) {
  PushEncodings encodings;
  const SocketIoPushes pushes(encodings);
  const SessionOptions options;
  const uint8_t choice = input.empty() ? 0 : static_cast<uint8_t>(input.front());
  if (!input.empty()) input.remove_prefix(1);
  const auto version = (choice & 1) != 0 ? SocketIoProtocol::Version::k4 : SocketIoProtocol::Version::k5;

  FakeConnection connection;
  FakeHandler::Script script;
  script.answer = static_cast<FakeHandler::Answer>(choice >> 1 & 3);
  auto session = std::make_unique<ClientSession>(
      1, loop, connection,
      std::make_unique<SocketIoProtocol>(pushes, version, /*max_package_bytes=*/4096, (choice & 8) != 0),
      options, [&](ClientSession&) { return std::make_unique<FakeHandler>(script, connection); });
  connection.protocol = session.get();

  Acks asked;
  while (!input.empty() && !connection.closed) {
    const std::string_view packet = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(packet.size() + 1, input.size()));
    if (packet.empty()) continue;
    if (const auto decoded = socketio::DecodePacket(packet); decoded.ok()) Count(*decoded, asked);
    connection.Feed(packet, /*frame_end=*/true);
    while (!script.replies.empty()) {
      script.replies.clear();
      connection.Offer();
    }
    // Engine.IO gives one packet after the other.
    if (connection.left() > 0) break;
  }
  session->OnTick(net::Clock::now() + std::chrono::seconds(100));
  session->OnClosed(net::CloseReason::kClientLeft, "left");

  Acks given;
  for (const net::Payload& payload : connection.payloads) {
    for (std::string_view frames = *payload; !frames.empty();) {
      const std::string_view text = TakeText(frames);
      FUZZ_CHECK(!text.empty() && (text.front() == '4' || text == "1"));
      if (text.front() != '4') continue;
      const auto packet = socketio::DecodePacket(text.substr(1));
      FUZZ_CHECK(packet.ok());
      if (packet->type == socketio::PacketType::kAck) Count(*packet, given);
    }
  }
  for (const auto& [ack, count] : given) FUZZ_CHECK(asked[ack] >= count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spdlog::set_level(spdlog::level::off);
  static net::Loops loops(1);
  OnLoop(loops.at(0), [&] { Play(loops.at(0), FuzzInput(data, size)); });
  return 0;
}
