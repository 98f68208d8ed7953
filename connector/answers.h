#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "google/protobuf/repeated_field.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/session/session.h"

namespace hubbub::connector {

// The connector's words to clients. Pure functions.

std::string UnknownRoute(std::string_view route);
std::string NotInRoom(std::string_view room);

// `{users: […], total: n}`. Of a long list only the first names are given, so that every client can read the
// answer (ARCHITECTURE.md, trap 2); `total` counts all.
boost::json::object UserList(const google::protobuf::RepeatedPtrField<std::string>& users, uint32_t total);

std::string ComingBack(std::string_view room);

// Puts `recovered` and `events` into an answer to enter. More events than the client can read at once count
// as lost.
void AddMissed(const chat::v1::AddResponse& response, WireFormat format, boost::json::object& answer);

// The code for clients that stands for a status: 4xx if the client can mend it, 5xx if not; 500 for a user
// who is in the room already, as in the stock demo.
int CodeOf(const absl::Status& status);
void FailWith(Reply reply, const absl::Status& status);

}  // namespace hubbub::connector
