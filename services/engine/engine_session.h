#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "services/engine/answer.h"
#include "services/engine/control_packets.h"
#include "services/engine/heartbeat.h"
#include "services/engine/lane.h"
#include "services/engine/transport.h"
#include "services/net/connection.h"
#include "services/net/ticket.h"
#include "services/net/waiting.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// What all sessions of a server share. Constant.
struct SessionLimits {
  // The defaults of the protocol's own servers.
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  size_t max_payload_bytes = size_t{64} * 1024;
  // A polling client that is being sent away may still fetch why within this time.
  std::chrono::milliseconds last_poll{3'000};
};

// A session of Engine.IO: to its protocol a net::Connection in frames of text, whose messages come by its
// Transport. A binary message is offered to the protocol as 'b' and its bytes. The session owns its protocol,
// keeps the order of what comes, and has the bounds of a connection (net::Connection) where there is no
// socket to have them. Loop-only. Owned by its lane until its end.
class EngineSession final : public net::Connection,
                            public net::WaitingClient,
                            public std::enable_shared_from_this<EngineSession> {
 public:
  EngineSession(std::shared_ptr<Lane> lane, const SessionLimits& limits, socketio::EngineVersion version,
                std::string sid, std::string peer, std::optional<net::Ticket> seat);

  const std::string& sid() const { return sid_; }
  socketio::EngineVersion version() const { return version_; }
  // What waits for its polls.
  size_t waiting_bytes() const override { return transport_.polls().counted(); }
  void EndAsSlow(std::string detail) override { End(net::CloseReason::kSlow, std::move(detail)); }
  // It has no WebSocket.
  bool polls() const { return transport_.socket() == nullptr; }

  // Sends the handshake. `socket`: the client has come by this WebSocket; null: by a poll. `bearer`: the
  // token that it showed then.
  void Start(std::unique_ptr<net::Protocol> protocol, net::Connection* socket, std::string bearer);

  // A request of a polling client.
  void Poll(Answer answer);
  void Post(std::string_view body, bool octets, Answer answer);

  // A WebSocket wants to take over. False: another one has, or tries to. From now on polls are answered at
  // once, so that the client can end with them.
  bool BeginUpgrade();
  // The WebSocket that tried has gone.
  void GiveUpgradeUp() { transport_.GiveUpgradeUp(); }
  void Upgrade(net::Connection& socket);
  // What comes by the WebSocket; as net::Protocol.
  size_t OnMessage(std::string_view bytes, bool text);
  void OnLastByte(std::string_view detail);
  void OnSocketClosed(net::CloseReason reason, std::string_view detail);

  void Tick(net::Clock::time_point now);
  void Shutdown(std::string_view detail);
  // Ends it at once. What is queued for polls is lost.
  void End(net::CloseReason reason, std::string detail);

  bool framed() const override { return true; }
  void Send(net::Payload payload) override;
  void Pause() override;
  void Resume() override;
  void AllowMessages(size_t bytes) override;
  void Close(net::CloseReason reason, std::string detail) override;
  bool Stalled() const override { return transport_.Stalled(); }
  bool Behind() const override { return transport_.Behind(); }
  net::Clock::time_point Now() const override { return lane_->Now(); }
  bool HasUnread() override { return transport_.HasUnread(); }
  bool ShowsLife() override;
  bool SaidGoodbye() const override { return transport_.SaidGoodbye(); }
  bool text() const override { return true; }
  std::string_view peer() const override { return peer_; }
  std::string TakeBearer() override { return std::exchange(bearer_, {}); }

 private:
  // A packet of the engine's own.
  void SendPacket(socketio::EngineType type, std::string_view data = "");
  // False: the protocol does not take it now.
  bool OnPacket(socketio::EngineType type, bool binary, std::string_view data);
  // A packet that the protocol's budget does not see. False: nothing is left to be done with it.
  bool OnControl(socketio::EngineType type, std::string_view data);
  // Gives the protocol what has come by a POST, as far as it takes it, and then what comes behind that.
  void Work();
  void WorkSoon();
  void AnswerPoll();
  void AnswerPollSoon();
  void CheckLife(net::Clock::time_point now);

  const std::shared_ptr<Lane> lane_;
  const SessionLimits& limits_;
  const socketio::EngineVersion version_;
  const std::string sid_;
  const std::string peer_;
  std::optional<net::Ticket> seat_;  // While it polls; a WebSocket has its listener's.
  std::unique_ptr<net::Protocol> protocol_;
  std::string bearer_;  // Not taken by the protocol yet.

  Transport transport_;
  std::deque<socketio::EnginePacket> posted_;  // Not taken by the protocol yet.
  std::optional<std::string> last_byte_;  // Not told to the protocol yet, for what was posted comes first.
  ControlPackets control_packets_;
  Heartbeat heartbeat_;
  bool paused_ = false;
  bool told_of_shutdown_ = false;
  bool closing_ = false;
  bool ended_ = false;
  net::CloseReason reason_ = net::CloseReason::kClientLeft;
  std::string detail_;
  net::Clock::time_point close_by_;
};

}  // namespace hubbub::engine
