#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json.hpp"
#include "services/client/client_protocol.h"
#include "services/client/socketio_positions.h"
#include "services/socketio/recovery.h"

namespace hubbub::client {

// One namespace of one connection, as far as it has to do with connection state recovery: nothing, unless the
// client asks for it. Not thread-safe.
class SocketIoRecovery {
 public:
  // Reads the auth of a client that connects; `username`: what that says. An error is a sentence for the
  // client.
  std::optional<std::string> Take(const boost::json::object& auth, std::string_view username);

  bool wanted() const { return !pid_.empty(); }
  const std::string& pid() const { return pid_; }
  std::string_view id() const { return socketio::PartsOf(pid_)->id; }
  // By which the client's places are its own.
  std::string_view token() const { return socketio::PartsOf(pid_)->token; }
  // The client has shown where it was.
  bool shows_state() const { return !shown_.empty(); }
  // The body of a request that asks for it: route::kRecover.
  boost::json::object RequestBody(std::string_view username) const;
  // The client is to see that its state was not recovered. Its token stays.
  void Renew();

  // The client is in these rooms.
  void SetRooms(const std::vector<RoomOfClient>& rooms);
  SocketIoPositions& positions() { return positions_; }
  const SocketIoPositions& positions() const { return positions_; }

 private:
  std::string pid_;
  std::vector<socketio::RoomPosition> shown_;
  SocketIoPositions positions_;
};

}  // namespace hubbub::client
