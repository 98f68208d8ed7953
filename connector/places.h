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

// Takes a place back, then calls `done` on `loop`. A chat server that may not have heard is told again, twice
// a second and `tries` times in all: until it has heard, the others see a user who is not there, and the name
// is taken. `request_id`: the request that it is part of; empty if it is part of none.
void KickPlace(net::Loop& loop, std::shared_ptr<ChatLink> link, const chat::v1::KickRequest& place, int tries,
               const std::string& request_id = {}, std::function<void()> done = {});

// While a client waits for it.
inline constexpr int kTriesWhileWaitedFor = 8;
// When nobody does: longer than a lease lasts without a stream.
inline constexpr int kTriesAlone = 60;

}  // namespace hubbub::connector
