#pragma once

#include <cstdint>
#include <optional>

#include "chat/connectors/loss_report.h"
#include "chat/rooms/room.h"
#include "chat/rooms/room_state.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/peer.pb.h"

namespace hubbub::chat {

// Between the values of room_state.h and the wire. `proto` is empty where it is written to. `now_ms`:
// SteadyNowMs, which means nothing to another machine: the wire has ages.
void ToProto(const RoomState& state, int64_t now_ms, v1::RoomState* proto);
RoomState FromProto(const v1::RoomState& proto, int64_t now_ms);
void ToProto(const RestoreResult& result, v1::RestoredRoom* proto);
RoomClaim ClaimOf(const v1::RoomPlaces& proto, SubscriberPtr subscriber, int64_t now_ms);
LossReport ReportOf(const v1::RestoreRequest& proto, const SubscriberPtr& subscriber, int64_t now_ms);
void ToProto(AddResult result, v1::AddResponse& proto);
// All but the room's name.
void ToProto(RoomInfo info, v1::GetRoomResponse& proto);
// Results that do not fit into one answer are RESTORE_OUTCOME_LATER: the places are restored already, and a
// retry returns the same result.
void ToProto(const RestoreResults& results, v1::RestoreResponse& proto);

// When that was which is so old by another server's word. The age is limited to a day, which is longer than
// anything is kept, and nothing is from the future.
int64_t TimeOf(int64_t age_ms, int64_t now_ms);

// When the client of a place has asked for it; nothing if the message does not say.
template <typename Proto>
std::optional<int64_t> AskedMs(const Proto& proto, int64_t now_ms) {
  if (!proto.has_age_ms()) return std::nullopt;
  return TimeOf(proto.age_ms(), now_ms);
}

}  // namespace hubbub::chat
