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
#include "services/engine/control_budget.h"
#include "services/engine/lane.h"
#include "services/engine/polls.h"
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

// A session of Engine.IO: to its protocol a net::Connection in frames of text, whose messages come by polls
// or by a WebSocket, and first by the one and then by the other if the client upgrades. A binary message is
// offered to the protocol as 'b' and its bytes. The session owns its protocol, sends and wants pings, and
// has the bounds of a connection (net::Connection) where there is no socket to have them. Loop-only. Owned by
// its lane until its end.
class EngineSession final : public net::Connection,
                            public net::WaitingClient,
                            public std::enable_shared_from_this<EngineSession> {
 public:
  EngineSession(std::shared_ptr<Lane> lane, const SessionLimits& limits, socketio::EngineVersion version,
                std::string sid, std::string peer, std::optional<net::Ticket> seat);

  const std::string& sid() const { return sid_; }
  socketio::EngineVersion version() const { return version_; }
  // What waits for its polls.
  size_t waiting_bytes() const override { return polls_.counted(); }
  void EndAsSlow(std::string detail) override { End(net::CloseReason::kSlow, std::move(detail)); }
  // It has no WebSocket.
  bool polls() const { return socket_ == nullptr; }

  // Sends the handshake. `socket`: the client has come by this WebSocket; null: by a poll. `bearer`: the
  // token that it showed then.
  void Start(std::unique_ptr<net::Protocol> protocol, net::Connection* socket, std::string bearer);

  // A request of a polling client.
  void Poll(Answer answer);
  void Post(std::string_view body, bool octets, Answer answer);

  // A WebSocket wants to take over. False: another one has, or tries to. From now on polls are answered at
  // once, so that the client can end with them.
  bool BeginUpgrade();
  // The transport that tried has gone.
  void GiveUpgradeUp();
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
  bool Stalled() const override;
  bool Behind() const override;
  net::Clock::time_point Now() const override { return lane_->Now(); }
  bool HasUnread() override { return socket_ != nullptr && socket_->HasUnread(); }
  bool ShowsLife() override;
  bool SaidGoodbye() const override;
  bool text() const override { return true; }
  std::string_view peer() const override { return peer_; }
  std::string TakeBearer() override { return std::exchange(bearer_, {}); }

 private:
  // A packet of the engine's own.
  void SendPacket(socketio::EngineType type, std::string_view data = "");
  // False: the protocol does not take it now.
  bool OnPacket(const socketio::EnginePacket& packet);
  bool OnControl(socketio::EngineType type, std::string_view data);
  // False: the client sends too many packets that its protocol does not count. This one is dropped, and at
  // last the client is closed.
  bool MayControl();
  // Gives the protocol what has come by a POST, as far as it takes it.
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

  net::Connection* socket_ = nullptr;  // Null: the client polls.
  bool upgrading_ = false;             // A WebSocket tries to take over.
  bool had_socket_ = false;            // Its WebSocket's end is that of the session, and counted there.
  Polls polls_;
  std::deque<socketio::EnginePacket> posted_;  // Not taken by the protocol yet.
  ControlBudget control_budget_;
  bool paused_ = false;
  bool told_of_shutdown_ = false;
  bool closing_ = false;
  bool ended_ = false;
  bool said_goodbye_ = false;
  bool shows_life_ = false;
  net::CloseReason reason_ = net::CloseReason::kClientLeft;
  std::string detail_;
  net::Clock::time_point last_seen_;
  net::Clock::time_point next_ping_;
  net::Clock::time_point close_by_;
};

}  // namespace hubbub::engine
