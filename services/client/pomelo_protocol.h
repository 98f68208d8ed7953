#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "services/client/client_protocol.h"
#include "services/client/contract.h"
#include "services/client/pomelo_packages.h"
#include "services/client/pomelo_pushes.h"
#include "services/net/frame.h"
#include "services/pomelo/package.h"

namespace hubbub::client {

class PitayaTerms;

// What all of a server's sessions that speak Pomelo share. Constant while they live.
struct PomeloOptions {
  // The routes' codes and the protobuf schemas, with the handshake that offers them.
  const ClientContract* contract = nullptr;
  const PomeloPushes* pushes = nullptr;  // Of this contract.
  // Clients send a heartbeat when they have read one for so long; nothing: there are no heartbeats.
  std::optional<std::chrono::seconds> heartbeat = std::nullopt;
  // The largest body of a package before the handshake is over, and after. A server that takes content sets
  // the latter to kMaxRequestBytes (services/base/limits.h).
  size_t max_first_package_bytes = 16 * 1024;
  size_t max_package_bytes = 64 * 1024 - 4;
  // How clients of Pitaya's dialect are served on the same port; null: as Pomelo's.
  const PitayaTerms* pitaya = nullptr;
};

// Pomelo's protocol: the state machine of its hybridsocket.js. Packages that come in a state which does not
// expect them are ignored, as there. Where Pomelo just disconnects a client that breaks the protocol, this
// sends a kick with the reason first. Not thread-safe. Owned by its session; `options` outlives it.
class PomeloProtocol final : public ClientProtocol {
 public:
  // `framed`: each package is sent in a WebSocket frame of its own, because clients in the field read only
  // the first package of a frame. False on TCP.
  PomeloProtocol(const PomeloOptions& options, bool framed)
      : options_(options), packages_(FramingOf(framed)) {}

  // A kick, which tells a client that has said nothing yet why it cannot stay: a net::RefusalBytes.
  static std::string Refusal(std::string_view reason, bool framed);

  Taken Take(std::string_view bytes, bool frame_end, std::string& out) override;
  absl::StatusOr<boost::json::object> ReadBody(const Request& request) const override;
  void AppendAccept(std::string& out) override;
  void AppendRefusal(std::string& out) const override;
  void AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) override;
  void AppendError(std::string_view id, int code, std::string_view message, std::string& out) override;
  void AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const override;
  ProtocolKind kind() const override { return ProtocolKind::kPomelo; }
  const PushEncoding& push_encoding() const override {
    return options_.pushes->Of(format_, packages_.framing());
  }
  void AppendHeartbeat(std::string& out) const override;
  std::optional<Heartbeat> heartbeat() const override {
    if (!options_.heartbeat) return std::nullopt;
    return Heartbeat{.interval = *options_.heartbeat};
  }
  size_t max_package_bytes() const override { return pomelo::kPackageHead + options_.max_package_bytes; }

 private:
  enum class State { kInited, kWaitAck, kWorking };
  using Value = decltype(Taken::value);

  static net::Framing FramingOf(bool framed) { return framed ? net::Framing::kBinary : net::Framing::kNone; }

  Value OnPackage(const pomelo::Package& package, std::string& out);
  Value OnHandshake(std::string_view body, std::string& out);
  Value OnData(std::string_view bytes, std::string& out) const;
  Fault Break(std::string why, std::string& out) const;

  const PomeloOptions& options_;
  const PomeloPackages packages_;
  State state_ = State::kInited;
  WireFormat format_ = WireFormat::kJson;
  std::string accept_;  // The body of the answer to the handshake, until it is sent.
};

}  // namespace hubbub::client
