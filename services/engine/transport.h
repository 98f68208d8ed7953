#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "services/engine/lane.h"
#include "services/engine/polls.h"
#include "services/net/connection.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// By which way a session and its client reach each other: by polls, by a WebSocket, or by the one until the
// other takes over. What is sent reaches the client once and in order, whichever way it goes. Loop-only.
// Owned by its session.
class Transport {
 public:
  Transport(Lane& lane, socketio::EngineVersion version) : polls_(lane, version) {}

  // Null: the client polls, or its WebSocket has gone.
  net::Connection* socket() const { return socket_; }
  // Its WebSocket's end is that of the session, and counted there.
  bool had_socket() const { return had_socket_; }
  Polls& polls() { return polls_; }
  const Polls& polls() const { return polls_; }

  // The client has come by this WebSocket.
  void Open(net::Connection& socket);
  // A WebSocket wants to take over. False: another one has, or tries to. From now on polls are answered at
  // once, so that the client can end with them.
  bool BeginUpgrade();
  bool upgrading() const { return upgrading_; }
  // The WebSocket that tried has gone.
  void GiveUpgradeUp() { upgrading_ = false; }
  // It takes over, and what waits for polls goes there.
  void Upgrade(net::Connection& socket);

  // Whole frames of text.
  void Send(net::Payload payload);
  // A client that polls leaves more waiting than it may.
  bool overfull() const { return polls_.bytes() > net::Connection::kHardLimit; }

  // Of a WebSocket; a client that polls is not answered meanwhile.
  void PauseReading();
  void ResumeReading();
  void AllowMessages(size_t bytes);

  // As net::Connection has them.
  bool Stalled() const;
  bool Behind() const;
  bool HasUnread() { return socket_ != nullptr && socket_->HasUnread(); }
  bool ShowsLife() { return socket_ != nullptr && socket_->ShowsLife(); }
  bool SaidGoodbye() const { return said_goodbye_ || (socket_ != nullptr && socket_->SaidGoodbye()); }

  // The client says that it leaves: a poll of it that waits is over.
  void OnGoodbye();
  // The WebSocket has gone.
  void OnSocketClosed();
  // The session ends: what is under way is answered or closed, and what waits is lost.
  void End(net::CloseReason reason, std::string_view detail);

 private:
  Polls polls_;
  net::Connection* socket_ = nullptr;
  bool upgrading_ = false;
  bool had_socket_ = false;
  bool said_goodbye_ = false;
};

}  // namespace hubbub::engine
