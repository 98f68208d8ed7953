#pragma once

#include <memory>
#include <vector>

#include "services/net/connection_set.h"
#include "services/net/http_router.h"
#include "services/net/listener.h"
#include "services/net/seats.h"

namespace hubbub::net {

// What a listener gives to each connection. Constant.
struct SetUp {
  ListenerOptions options;
  ProtocolFactory tcp;
  HttpRouter router;
  std::shared_ptr<Seats> seats;
  std::vector<std::shared_ptr<ConnectionSet>> sets = {};  // By Loop::index.
};

}  // namespace hubbub::net
