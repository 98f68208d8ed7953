#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/partings.h"
#include "connector/chat_servers/restorer.h"
#include "connector/delivery/encoder.h"
#include "connector/delivery/local_rooms.h"
#include "services/base/script_check.h"
#include "services/client/session_registry.h"

namespace hubbub::connector {

// What the sessions of one loop share. Owned by Connector, outlives them.
struct SessionEnvironment {
  client::SessionRegistry& sessions;
  LocalRooms& rooms;
  ChatServers& servers;
  Restorer& restorer;
  Partings& partings;
  Encoder& encoder;
  // The most rooms that a session may be in at a time.
  size_t max_rooms = 100;
  // Of a session; twice as many at once, so that a client that comes back enters all its rooms.
  int max_enters_per_second = 50;
  // Refuses names that mix scripts. Null: they are taken.
  const ScriptCheck* scripts = nullptr;
  // How long a request waits while the room's chat server cannot be reached, or the room is on its way to
  // another chat server.
  std::chrono::milliseconds patience{10'000};
  // This connector is shutting down: its sessions are sent away, and come back elsewhere.
  const std::atomic<bool>& draining;
  // How long a room keeps the name of a client that knows no tokens and has lost its connection.
  std::chrono::milliseconds name_wait{3'000};
};

}  // namespace hubbub::connector
