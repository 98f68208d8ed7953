#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/reply.h"
#include "services/net/connection.h"

namespace hubbub::connector {

// An enter that is under way.
struct Entry {
  std::shared_ptr<Membership> membership;
  chat::v1::AddRequest request;
  client::Reply reply;
  std::string request_id;
  net::Clock::time_point deadline;
};

// Asks chat servers for the place until the room's owner has answered, the deadline is near, or the client is
// gone: then the reply has no session. After an error the place is not there: a chat server that may have
// given it has been asked to take it back. Both outlive the call.
boost::asio::awaitable<absl::StatusOr<chat::v1::AddResponse>> AskForPlace(ChatServers& servers, Entry& entry);

}  // namespace hubbub::connector
