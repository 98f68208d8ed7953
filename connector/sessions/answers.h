#pragma once

#include <cstdint>
#include <string>

#include "boost/json.hpp"
#include "google/protobuf/repeated_field.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/history.pb.h"
#include "services/client/contract.h"

namespace hubbub::connector {

// What the connector answers to an enter and to a request for history. Pure functions.

// `{users: […], total: n}`. Of a long list only the first names are given, so that every client can read the
// answer (services/pomelo/README.md, trap 2); `total` counts all.
boost::json::object UserList(const google::protobuf::RepeatedPtrField<std::string>& users, uint32_t total);

// Puts `recovered` and `events` into an answer to enter. More events than the client can read at once count
// as lost.
void AddMissed(const chat::v1::AddResponse& response, bool small_answers, boost::json::object& answer);

// The answer to a request for history: `{events: […], next: n}`, the oldest event first. What the client
// cannot read at once is left for the next page, which is asked for with `before: n`; 0: there is none.
boost::json::object HistoryPage(const chat::v1::ListEventsResponse& response, bool small_answers);

}  // namespace hubbub::connector
