// What a Restorer says to chat servers.
#include <algorithm>
#include <utility>

#include "connector/restorer.h"
#include "services/clock.h"

namespace hubbub::connector {
namespace {

// Of one call; far below what a chat server receives.
constexpr size_t kMaxCallBytes = size_t{4} << 20;

size_t BytesOf(const RestoreEntry& entry) {
  return entry.user.size() + entry.token.size() + 40;
}

}  // namespace

std::vector<Restorer::Call> Restorer::CallsFor(const Loss& loss, const std::string& server,
                                               std::vector<Group> groups) const {
  std::vector<Call> calls;
  size_t bytes = kMaxCallBytes;
  const auto next = [&] {
    calls.push_back({.loss = loss,
                     .server = server,
                     .lease = servers_.LeaseAt(server),
                     .incarnation = servers_.IncarnationOf(server),
                     .groups = {}});
    bytes = 0;
  };
  next();
  for (Group& group : groups) {
    if (bytes >= kMaxCallBytes) next();
    for (const EntryPtr& entry : group.entries) bytes += BytesOf(*entry);
    if (const LastEvents* last = loss.server.empty() ? nullptr : rooms_.LastEventsOf(group.room)) {
      for (const LastEvents::Kept& kept : last->events()) bytes += kept.event->ByteSizeLong();
    }
    calls.back().groups.push_back(std::move(group));
  }
  return calls;
}

chat::v1::RestoreRequest Restorer::RequestOf(const Call& call) const {
  const int64_t now_ms = SteadyNowMs();
  chat::v1::RestoreRequest request;
  request.set_lease(call.lease);
  if (!call.loss.server.empty()) {
    request.set_lost_server(call.loss.server);
    request.set_lost_incarnation(call.loss.incarnation);
    request.set_part(options_.part);
    request.set_parts(options_.parts);
  }
  for (const Group& group : call.groups) {
    chat::v1::RoomPlaces* const places = request.add_rooms();
    const RestoreEntry& first = *group.entries.front();
    places->set_room(group.room);
    places->set_epoch(first.epoch);
    uint64_t offset = first.offset;
    for (const EntryPtr& entry : group.entries) {
      offset = std::min(offset, entry->offset);
      chat::v1::RestoredPlace* const place = places->add_places();
      place->set_user(entry->user);
      place->set_session(entry->session);
      place->set_token(entry->token);
      place->set_client_address(entry->address);
      place->set_wait_ms(entry->wait_ms);
    }
    places->set_offset(offset);
    const LastEvents* const last = rooms_.LastEventsOf(group.room);
    if (last != nullptr) places->set_time_ms(last->time_ms());
    if (last == nullptr || call.loss.server.empty()) continue;
    for (const LastEvents::Kept& kept : last->events()) {
      if (kept.event->epoch() != first.epoch) continue;
      chat::v1::Event* const event = places->add_recent_events();
      *event = *kept.event;
      event->set_age_ms(now_ms - kept.came_ms);
    }
  }
  return request;
}

void Restorer::Send(Call call, uint32_t calls) {
  for (const Group& group : call.groups) {
    for (const EntryPtr& entry : group.entries) {
      // Even if no answer comes: whoever takes the place back names this lease.
      if (entry->membership == nullptr) continue;
      entry->membership->server = call.server;
      entry->membership->lease = call.lease;
      entry->membership->incarnation = call.incarnation;
    }
  }
  chat::v1::RestoreRequest request = RequestOf(call);
  if (!call.loss.server.empty()) request.set_calls(calls);
  ++jobs_[call.loss].calls;
  const std::string server = call.server;
  servers_.Restore(
      server, std::move(request),
      [this, call = std::move(call)](const absl::Status& status, const chat::v1::RestoreResponse& response) {
        OnAnswer(call, status, response);
      });
}

}  // namespace hubbub::connector
