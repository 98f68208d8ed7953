#include "connector/chat_servers/restore_calls.h"

#include <algorithm>
#include <utility>

#include "services/base/clock.h"

namespace hubbub::connector {
namespace {

// Of one call; far below what a chat server receives.
constexpr size_t kMaxCallBytes = size_t{4} << 20;

size_t BytesOf(const Membership& membership) {
  return membership.user().size() + membership.token().size() + 40;
}

}  // namespace

std::vector<RestoreCall> CallsFor(const Loss& loss, const std::string& server, int refusals,
                                  std::vector<RoomToRestore> rooms, const ChatServers& servers,
                                  const LocalRooms& local_rooms) {
  const RestoreCall empty{.loss = loss,
                          .at = {.server = server,
                                 .lease = servers.LeaseOf(server),
                                 .incarnation = servers.IncarnationOf(server)},
                          .refusals = refusals,
                          .rooms = {}};
  std::vector<RestoreCall> calls{empty};
  size_t bytes = 0;
  for (RoomToRestore& room : rooms) {
    if (bytes >= kMaxCallBytes) {
      calls.push_back(empty);
      bytes = 0;
    }
    for (const PlaceToRestore& place : room.places) bytes += BytesOf(*place.membership);
    if (const ShownUsers* const shown = loss.server.empty() ? nullptr : local_rooms.ShownIn(room.room))
      bytes += shown->bytes();
    if (const LastEvents* last = loss.server.empty() ? nullptr : local_rooms.LastEventsOf(room.room)) {
      for (const LastEvents::Kept& kept : last->events()) bytes += kept.event->ByteSizeLong();
    }
    calls.back().rooms.push_back(std::move(room));
  }
  return calls;
}

chat::v1::RestoreRequest RequestOf(const RestoreCall& call, uint32_t calls, const LoopPart& part,
                                   const LocalRooms& local_rooms) {
  const int64_t now_ms = SteadyNowMs();
  const bool is_loss = !call.loss.server.empty();
  chat::v1::RestoreRequest request;
  request.set_lease(call.at.lease);
  if (is_loss) {
    request.set_lost_server(call.loss.server);
    request.set_lost_incarnation(call.loss.incarnation);
    request.set_part(part.part);
    request.set_parts(part.parts);
    request.set_calls(calls);
  }
  for (const RoomToRestore& room : call.rooms) {
    chat::v1::RoomPlaces* const places = request.add_rooms();
    const Membership& first = *room.places.front().membership;
    places->set_room(room.room);
    RoomPoint seen = first.seen();  // By all of them, who know the same lives of the room.
    for (const PlaceToRestore& to_restore : room.places) {
      const Membership& membership = *to_restore.membership;
      seen.offset = std::min(seen.offset, membership.seen().offset);
      seen.change = std::min(seen.change, membership.seen().change);
      chat::v1::RestoredPlace* const place = places->add_places();
      place->set_user(membership.user());
      place->set_session(membership.session_id());
      place->set_token(membership.token());
      place->set_client_address(membership.address());
      place->set_wait_ms(membership.wait_ms());
      place->set_attempt(membership.attempt());
      place->set_age_ms(now_ms - membership.asked_ms());
    }
    places->set_epoch(seen.epoch);
    places->set_offset(seen.offset);
    places->set_life(seen.life);
    places->set_change(seen.change);
    const LastEvents* const last = local_rooms.LastEventsOf(room.room);
    if (last != nullptr) places->set_time_ms(last->time_ms());
    if (const ShownUsers* const shown = is_loss ? local_rooms.ShownIn(room.room) : nullptr) {
      for (const std::string& user : shown->users()) places->add_shown_users(user);
    }
    // With durable history the chat server has them from its store.
    if (last == nullptr || !is_loss || seen.life != 0) continue;
    for (const LastEvents::Kept& kept : last->events()) {
      if (kept.event->epoch() != seen.epoch) continue;
      chat::v1::Event* const event = places->add_recent_events();
      *event = *kept.event;
      event->set_age_ms(now_ms - kept.came_ms);
    }
  }
  return request;
}

}  // namespace hubbub::connector
