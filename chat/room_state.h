#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/event.h"
#include "chat/kept_names.h"
#include "chat/recent_ids.h"
#include "chat/subscriber.h"

namespace hubbub::chat {

// What goes from one chat server to another, and from a connector to its chat server, when a room changes
// hands. Plain values.

// A place as its connector names it.
struct RestoredPlace {
  std::string user;
  uint64_t session = 0;
  std::string token;
  uint64_t address = 0;  // As Place has them.
  int64_t wait_ms = 0;
};

// What one connector, or a part of it, held in a room.
struct RoomClaim {
  SubscriberPtr subscriber;
  uint64_t epoch = 0;   // The life of the room that it knows,
  uint64_t offset = 0;  // and the newest event of it that all its places have seen.
  int64_t time_ms = 0;  // The latest time that the room has shown there.
  std::vector<RestoredPlace> places;
  std::vector<EventPtr> recent_events;  // The newest ones of that life that have come to it, in order.
};

// What it is told.
struct RestoreResult {
  // In the order in which they came; the first ones alone if they are very many.
  std::vector<std::string> users;
  size_t total = 0;
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Every event with a greater one follows on its stream.
  // All that it has missed, events of the life before first; nothing if it can not be had any more.
  std::optional<std::vector<EventPtr>> missed;
  std::vector<uint32_t> replaced;  // Indices of places that others have by now.
};

// The lives of a room that its present one goes on from, because they ended with their chat server: of each,
// by epoch, the newest events that anybody is known to have seen, by offset.
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
  };

  std::string room;
  uint64_t epoch = 0;
  uint64_t offset = 0;
  int64_t time_ms = 0;        // The latest time that the room has shown.
  std::vector<Place> places;  // In the order in which their users came.
  std::vector<EventPtr> recent_events;
  std::vector<RecentIds::Entry> recent_ids;
  EarlierLives earlier;
  std::vector<KeptNames::Entry> kept;  // Their times are what is left of them.
  bool newcomers = false;              // Users have come in this life who do not know the earlier ones.
};

}  // namespace hubbub::chat
