#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

// What a connector tells clients whose requests fail. Pure functions, except FailWith, which answers.

// For a route that a connector does not have.
std::string UnknownRoute(std::string_view route);
std::string NotInRoom(std::string_view room);
// While the chat server of a room cannot be reached, or the room is on its way to another one.
std::string ComingBack(std::string_view room);

// The code that stands for a status: 4xx if the client can mend it, 5xx if not; 500 for a user who is in the
// room already, as in the stock demo.
int CodeOf(const absl::Status& status);
void FailWith(client::Reply reply, const absl::Status& status);

// Of a whole call to a chat server that failed: UNAVAILABLE where the servers are at fault, whatever code
// gRPC has for that. It has several for a connection that breaks, INTERNAL among them, and a chat server says
// UNAUTHENTICATED or PERMISSION_DENIED of the connector, not of its client. Otherwise the status as it is.
absl::Status FaultOfCall(const absl::Status& status);

}  // namespace hubbub::connector
