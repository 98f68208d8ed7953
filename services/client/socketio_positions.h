#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/net/connection.h"
#include "services/socketio/recovery.h"

namespace hubbub::client {

// Where one client of Socket.IO is, as the offset of each of its events has to tell it (services/socketio/
// recovery.h). An event has the position of its own room in the bytes that all sessions share. That is all
// that a client in one room has to know; to one that is in several, each event is written anew with the
// positions of all of them, because of the events that it has had it knows the last one's offset alone. Not
// thread-safe.
class SocketIoPositions {
 public:
  // From now on the client is in these rooms. None, or too many: its offset is kNoPositions.
  void Set(const std::vector<socketio::RoomPosition>& rooms);
  // There is a room to which the client could not be brought back.
  void SetUnknown() { rooms_.clear(); }

  // Appends the offset as a JSON string.
  void AppendJson(std::string& out) const;
  // Frames of events as all sessions get them, as this client gets them.
  net::Payload Of(net::Payload frames);

 private:
  // Both as the inside of a JSON string.
  struct Room {
    std::string name;
    std::string position;
  };

  void AppendOwn(std::string_view event, std::string& out);
  void See(std::string_view position);

  std::vector<Room> rooms_;
};

}  // namespace hubbub::client
