#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "connector/chat_link.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/net/loop.h"

namespace hubbub::connector {

// One session's place in a room, as Kick names it.
chat::v1::KickRequest PlaceOf(const std::string& room, const std::string& user, uint64_t lease,
                              uint64_t session);

// Takes a place back, then calls `done` on `loop`. A chat server that did not answer in time is asked again:
// until it has heard, the others see a user who is not there. One that is away forgets the place with the
// lease.
void KickPlace(net::Loop& loop, std::shared_ptr<ChatLink> link, const chat::v1::KickRequest& place,
               std::function<void()> done = {}, int tries_left = 2);

}  // namespace hubbub::connector
