#include "connector/sessions/session_rooms.h"

#include <utility>
#include <vector>

#include "connector/chat_servers/room_sends.h"

namespace hubbub::connector {

StringSet SessionRooms::Names() const {
  StringSet names;
  for (const auto& [room, place] : rooms_) names.insert(room);
  return names;
}

InRoom* SessionRooms::Find(std::string_view room) {
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? nullptr : &at->second;
}

void SessionRooms::Add(std::shared_ptr<Membership> membership) {
  local_rooms_.Insert(*membership);
  std::string room = membership->room();
  rooms_.emplace(std::move(room), InRoom{.membership = std::move(membership)});
}

void SessionRooms::Forget(const std::string& room) {
  const auto at = rooms_.find(room);
  const InRoom place = std::move(at->second);
  rooms_.erase(at);
  place.membership->Leave();
  local_rooms_.Erase(*place.membership);
  if (place.sends != nullptr) place.sends->Close();
}

void SessionRooms::Part(Partings& partings, bool keep_name, uint32_t wait_ms, bool take_back) {
  for (auto& [room, place] : rooms_) {
    place.membership->EndSession(keep_name, wait_ms);
    partings.Add(std::move(place), take_back);
  }
  rooms_.clear();
}

void SessionRooms::Show() {
  if (!session_.wants_rooms()) return;
  std::vector<client::RoomOfClient> shown;
  bool gap = false;
  for (const auto& [name, place] : rooms_) {
    const Membership& membership = *place.membership;
    // An enter that is under way.
    if (membership.seen().epoch == 0) continue;
    gap = gap || membership.gap();
    // Until it is told of a gap, it may not come back as if there were none.
    shown.push_back({.name = name,
                     .token = membership.gap() ? std::string() : membership.token(),
                     .epoch = membership.seen().epoch,
                     .offset = membership.seen().offset});
  }
  session_.ShowRooms(shown);
  if (gap) session_.HideRooms();
}

void SessionRooms::ShowFrom(const RoomPoint& point, Membership& membership) {
  membership.SawUpTo(point);
  Show();
}

void SessionRooms::TellGaps() {
  bool gap = false;
  for (const auto& [room, place] : rooms_) {
    local_rooms_.TellGap(*place.membership);
    gap = gap || place.membership->gap();
  }
  if (!gap && session_.rooms_hidden()) Show();
}

}  // namespace hubbub::connector
