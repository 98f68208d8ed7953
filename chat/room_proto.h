#pragma once

#include "chat/room_state.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/peer.pb.h"

namespace hubbub::chat {

// Between the values of room_state.h and the wire. `proto` is empty where it is written to.
void ToProto(const RoomState& state, v1::RoomState* proto);
RoomState FromProto(const v1::RoomState& proto);
void ToProto(const RestoreResult& result, v1::RestoredRoom* proto);
RoomClaim ClaimOf(const v1::RoomPlaces& proto, SubscriberPtr subscriber);

}  // namespace hubbub::chat
