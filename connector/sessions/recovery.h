#pragma once

#include <vector>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/membership.h"
#include "connector/delivery/room_point.h"
#include "connector/sessions/place_search.h"
#include "connector/sessions/session_environment.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/client_session.h"
#include "services/client/reply.h"

namespace hubbub::connector {

// A client that comes back into several rooms at once, or into none: each enter shows the token of the place
// and what the client has seen of the room. Loop-only.
struct Recovery {
  std::vector<Entry> entries;
  std::vector<chat::v1::AddResponse> answers = {};  // To the first of them, in their order.
};

// Asks for the places, one after the other. OK: all are there, and the answers hold all that the client has
// missed. After an error, which says in which room that is not so, and once `reply` has no session, none is
// there. All outlive the call.
boost::asio::awaitable<absl::Status> RecoverPlaces(ChatServers& servers, Recovery& recovery,
                                                   const client::Reply& reply);

// The client is about to be told that it is back: from here on it has seen what it says. Before ShowMissed.
void TakeItsWord(const Recovery& recovery);

// Shows the client who is in the rooms, what it has missed, and what comes after that.
void ShowMissed(SessionEnvironment& environment, client::ClientSession& session, const Recovery& recovery);

// How far a client that comes back has seen the room, as it says.
RoomPoint WordOf(const Entry& entry);
// How far it will have seen the room by the answer.
RoomPoint PointOf(const chat::v1::AddResponse& answer);

}  // namespace hubbub::connector
