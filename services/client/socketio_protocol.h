#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/client/client_protocol.h"
#include "services/client/socketio_packets.h"
#include "services/client/socketio_pushes.h"
#include "services/client/socketio_recovery.h"
#include "services/socketio/engine_packet.h"
#include "services/socketio/packet.h"

namespace hubbub::client {

// Socket.IO, protocols 4 and 5, as the messages of Engine.IO carry it (services/engine): Take gets one packet
// at a time, and a binary message as 'b' and its bytes. The session's namespace and way are those of the
// first event: that is the client's hello. Namespaces are "/" and "/chat"; a client may be connected to both,
// but has its events answered in the namespace of the first. Names of events are routes, or "enter", "leave",
// "send", "history" and "queryEntry" for short. Pings are Engine.IO's. A client of protocol 5 may ask, with
// `recover` in its auth, that its state be recovered when it comes back: then its CONNECT packet is a request
// as well. The sign-in token in its auth is judged before it is connected; with one that is
// not taken it may try again, some times. Not thread-safe. Owned by its session; `pushes` outlives it.
class SocketIoProtocol final : public ClientProtocol {
 public:
  enum class Version { k4, k5 };
  static Version VersionOn(socketio::EngineVersion engine) {
    return engine == socketio::EngineVersion::k3 ? Version::k4 : Version::k5;
  }

  // `recovers`: this server has states that can be recovered.
  SocketIoProtocol(const SocketIoPushes& pushes, Version version, size_t max_package_bytes,
                   bool recovers = false)
      : pushes_(pushes), version_(version), max_package_bytes_(max_package_bytes), recovers_(recovers) {}

  Taken Take(std::string_view bytes, bool frame_end, std::string& out) override;
  void OnToken(const absl::Status& status) override { judged_ = status; }
  absl::StatusOr<boost::json::object> ReadBody(const Request& request) const override;
  void AppendAccept(std::string&) override {}
  void AppendRefusal(std::string& out) const override;
  void AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) override;
  void AppendError(std::string_view id, int code, std::string_view message, std::string& out) override;
  void AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const override;
  ProtocolKind kind() const override { return ProtocolKind::kSocketIo; }
  const PushEncoding& push_encoding() const override {
    return WantsRooms() ? pushes_.WithPositions(way_) : pushes_.Of(way_);
  }
  net::Payload OwnPushes(net::Payload pushes) override {
    return WantsRooms() ? recovery().positions().Of(std::move(pushes)) : pushes;
  }
  bool WantsRooms() const override { return way_ != SocketIoWay::kPomelo && recovery().wanted(); }
  void AppendRooms(const std::vector<RoomOfClient>& rooms, std::string& out) override;
  void HideRooms() override { recovery().positions().SetUnknown(); }
  std::optional<Heartbeat> heartbeat() const override { return std::nullopt; }
  void AppendHeartbeat(std::string&) const override {}
  size_t max_package_bytes() const override { return max_package_bytes_; }

 private:
  enum class Stage { kOpen, kGreeted, kReady };
  // Each costs the check of a signature.
  static constexpr int kMostRefusedTokens = 5;
  using Value = decltype(Taken::value);

  Taken OnPacket(const socketio::Packet& packet, size_t bytes, std::string& out);
  Taken OnConnect(const socketio::Packet& packet, size_t bytes, std::string& out);
  // The client asks for its state: first the session has to be ready.
  Taken ComeBack(const socketio::Packet& packet, size_t bytes);
  Value OnDisconnect(const socketio::Packet& packet, std::string& out);
  Taken OnEvent(const socketio::Packet& packet, size_t bytes, std::string& out);
  Request RequestOf(const socketio::Packet& packet);
  Request PomeloRequestOf(const socketio::Packet& packet);
  struct Namespace {
    bool connected = false;
    SocketIoRecovery recovery;
  };

  // The token in a CONNECT packet is not taken.
  Taken RefuseToken(Namespace& nsp, const socketio::Packet& packet, size_t bytes, std::string& out);

  Namespace* Find(std::string_view nsp);
  Namespace& own() { return namespaces_[way_ == SocketIoWay::kChat ? 1 : 0]; }
  const Namespace& own() const { return namespaces_[way_ == SocketIoWay::kChat ? 1 : 0]; }
  SocketIoRecovery& recovery() { return own().recovery; }
  const SocketIoRecovery& recovery() const { return own().recovery; }
  bool AnyConnected() const { return namespaces_[0].connected || namespaces_[1].connected; }
  Hello HelloOf(std::string_view nsp);
  // Why the client may not connect, by what it shows of itself; nothing if it may.
  std::optional<std::string> TakeAuth(const boost::json::object& auth);
  void AnswerConnect(std::string& out);
  void AppendConnect(std::string_view nsp, const SocketIoRecovery& recovery, std::string& out) const;
  void AppendConnectError(std::string_view nsp, std::string_view message, int code, std::string& out) const {
    client::AppendConnectError(version_ == Version::k5, nsp, message, code, out);
  }
  Fault Break(std::string why, std::string& out) const;

  const SocketIoPushes& pushes_;
  const Version version_;
  const size_t max_package_bytes_;
  const bool recovers_;
  Stage stage_ = Stage::kOpen;
  SocketIoWay way_ = SocketIoWay::kMain;
  std::array<Namespace, 2> namespaces_;  // The main one, and that of the chat.
  bool comes_back_ = false;              // A CONNECT packet that asks for a state is not answered yet.
  std::string token_;                    // As auth has it: Hello::token.
  std::optional<absl::Status> judged_;   // What the session has said of it, until its packet is answered.
  std::string taken_token_;              // The last one that the session has taken so.
  int refused_tokens_ = 0;
  std::string username_;    // As the client has shown it when it connected.
  size_t attachments_ = 0;  // Binary messages that belong to the last packet.
  socketio::Event event_;   // The last one. A request points into it.
  std::string text_;        // Its argument, as Pomelo's client says it.
};

}  // namespace hubbub::client
