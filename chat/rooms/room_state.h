#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/rooms/event.h"
#include "chat/rooms/kept_names.h"
#include "chat/rooms/recent_ids.h"
#include "chat/rooms/subscriber.h"

namespace hubbub::chat {

// What one chat server tells another, and a connector its chat server, when a room changes hands. Plain
// values.

// A place as its connector names it.
struct RestoredPlace {
  std::string user;
  uint64_t session = 0;
  std::string token;
  uint64_t address = 0;  // As Place has them.
  int64_t wait_ms = 0;
  uint64_t attempt = 0;
  std::optional<int64_t> asked_ms = std::nullopt;
};

// What one connector, or one of its parts, held in a room.
struct RoomClaim {
  SubscriberPtr subscriber;
  uint64_t epoch = 0;   // The life of the room that it knows,
  uint64_t offset = 0;  // and the newest event of it that all its places have seen.
  uint64_t life = 0;    // With a log: the life of its members that it knows,
  uint64_t change = 0;  // and the newest coming or going that all its places have seen.
  int64_t time_ms = 0;  // The latest time that the room has shown there.
  std::vector<RestoredPlace> places;
  std::vector<EventPtr> recent_events;  // The newest ones of that life that have come to it, in order.
  // After a loss: users whom its clients were shown as being in the room.
  std::vector<std::string> shown_users = {};
};

// What the connector is told in return.
struct RestoreResult {
  // In the order in which they came; the first ones alone if they are very many.
  std::vector<std::string> users;
  size_t total = 0;
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Every event with a greater one follows on its stream.
  uint64_t life = 0;    // With a log: of the members,
  uint64_t change = 0;  // and of their newest coming or going.
  // All that it has missed, events of the life before first; nothing if it is not kept any more.
  std::optional<std::vector<EventPtr>> missed;
  std::vector<uint32_t> replaced;  // Indices of places that others have by now.
};

// The earlier lives of a room, each of which ended with its chat server: for each epoch, the newest events
// that some connector has seen, by offset.
using EarlierLives = std::map<uint64_t, std::map<uint64_t, EventPtr>>;

// All that a room is.
struct RoomState {
  struct Place {
    std::string user;
    std::string connector;
    uint64_t session = 0;
    std::string token;
    uint64_t address = 0;
    int64_t wait_ms = 0;
    uint64_t attempt = 0;
    std::optional<int64_t> asked_ms = std::nullopt;
  };

  std::string room;
  uint64_t epoch = 0;
  uint64_t offset = 0;
  uint64_t life = 0;          // With a log: of the members; 0: they are not known,
  uint64_t change = 0;        // and of their newest coming or going.
  int64_t time_ms = 0;        // The latest time that the room has shown.
  std::vector<Place> places;  // In the order in which their users came.
  std::vector<EventPtr> recent_events;
  std::vector<EventPtr> recent_changes;
  std::vector<RecentIds::Entry> recent_ids;
  EarlierLives earlier;
  std::vector<KeptNames::Entry> kept;     // Their times are what is left of them.
  std::vector<std::string> awaited = {};  // As AwaitedUsers has them,
  int64_t awaited_ms = 0;                 // for so long.
  bool newcomers = false;                 // Users have come in this life who do not know the earlier ones.
};

}  // namespace hubbub::chat
