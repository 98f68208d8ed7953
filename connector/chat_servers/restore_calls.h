#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::connector {

// A run of a chat server that has ended, or cannot be reached. Without a name: none was lost, but rooms were
// given to another chat server.
struct Loss {
  std::string server;
  uint64_t incarnation = 0;
  auto operator<=>(const Loss&) const = default;
};

// A place that is to be restored. The membership may have left: then the place is taken back at the end.
struct PlaceToRestore {
  std::shared_ptr<Membership> membership;
  int tries = 0;  // Since it has left.
};

// The places of one room in one life that are to be restored: one RoomPlaces of a request.
struct RoomToRestore {
  std::string room;
  std::vector<PlaceToRestore> places;  // Never empty.
};

// One call of ChatService.Restore.
struct RestoreCall {
  Loss loss;
  Membership::At at;  // The server that is asked.
  int refusals = 0;   // How often that server has said that it knows nothing of the loss.
  std::vector<RoomToRestore> rooms;
};

// This loop among those of its connector, and how many there are.
struct LoopPart {
  uint32_t part = 0;
  uint32_t parts = 1;
};

// The calls that tell `server` these rooms; at least one, because it may wait for what this connector held
// even if that was nothing. Loop-only.
std::vector<RestoreCall> CallsFor(const Loss& loss, const std::string& server, int refusals,
                                  std::vector<RoomToRestore> rooms, const ChatServers& servers,
                                  const LocalRooms& local_rooms);

// `calls`: how many calls tell the server of this loss. Loop-only.
chat::v1::RestoreRequest RequestOf(const RestoreCall& call, uint32_t calls, const LoopPart& part,
                                   const LocalRooms& local_rooms);

}  // namespace hubbub::connector
