#pragma once

#include <memory>
#include <string>

#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/history.pb.h"
#include "services/client/reply.h"

namespace hubbub::connector {

// Calls to chat servers that answer the client when they are done. `servers` outlives them.

// Not before the place is given up: an enter that follows must not overtake the Kick.
boost::asio::awaitable<void> GiveUpPlace(ChatServers& servers, std::shared_ptr<const Membership> membership,
                                         client::Reply reply, std::string request_id);

boost::asio::awaitable<void> ShowHistory(ChatServers& servers, std::string server,
                                         chat::v1::ListEventsRequest request, client::Reply reply,
                                         std::string request_id);

}  // namespace hubbub::connector
