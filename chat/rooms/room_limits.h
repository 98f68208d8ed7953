#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "chat/rooms/recent_events.h"
#include "chat/rooms/recent_ids.h"
#include "chat/rooms/send_budget.h"
#include "services/base/clock.h"

namespace hubbub::chat {

// The bounds of one room, the same for all rooms of a server.
struct RoomLimits {
  size_t max_places = 100'000;
  // Of the names in an answer to Add, and of the places in one to GetRoom: a gRPC message holds 4 MiB.
  size_t max_answer_bytes = size_t{64} << 10;
  size_t max_answer_places = 10'000;
  int64_t grace_ms = 5'000;  // No name is kept any longer.
  RecentEvents::Limits recent;
  // In a room with a log: comings and goings, which are kept for connectors whose places move.
  RecentEvents::Limits changes{.max_events = 256, .max_bytes = size_t{64} << 10, .max_age_ms = 60'000};
  RecentIds::Limits ids;
  // What messages may cost those who carry them to the members: bytes a second, each message's as often as
  // there are members, and twice as much at once. 0: no bound.
  int max_fan_out_per_second = 128 << 20;
  // Sends that wait for the log, in one room and over the server.
  size_t max_proposals = 2'048;
  size_t max_server_proposals = 65'536;
  size_t max_server_proposal_bytes = size_t{64} << 20;
  // Counts them. Null: there is no log. RoomShards sets it.
  SendBudget* budget = nullptr;
  // The clock of the times that people are shown. Called from several threads at once.
  std::function<int64_t()> shown_ms = SystemNowMs;
};

}  // namespace hubbub::chat
