#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/membership.h"
#include "connector/sessions/requests.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/reply.h"
#include "services/net/connection.h"

namespace hubbub::connector {

// An enter that is under way.
struct Entry {
  std::shared_ptr<Membership> membership;
  chat::v1::AddRequest request;
  std::string request_id;
  net::Clock::time_point deadline;
};

chat::v1::AddRequest AddRequestOf(const Membership& membership, const EnterRequest& wish);

// Asks chat servers for the place until the room's owner has answered, the deadline is near, or the client is
// gone: then `reply` has no session. After an error the place is not there: a chat server that may have given
// it has been asked to take it back. All outlive the call.
boost::asio::awaitable<absl::StatusOr<chat::v1::AddResponse>> AskForPlace(ChatServers& servers, Entry& entry,
                                                                          const client::Reply& reply);

}  // namespace hubbub::connector
