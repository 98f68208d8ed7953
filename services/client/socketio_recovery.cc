#include "services/client/socketio_recovery.h"

#include <utility>

#include "services/client/fields.h"

namespace hubbub::client {
namespace {

namespace json = boost::json;

std::string_view StringIn(const json::object& auth, std::string_view field) {
  const json::value* const value = auth.if_contains({field.data(), field.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

json::string_view TextOf(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<std::string> SocketIoRecovery::Take(const json::object& auth, std::string_view username) {
  pid_.clear();
  shown_.clear();
  if (!HasField(auth, "recover")) return std::nullopt;
  const json::value& recover = auth.at("recover");
  if (!recover.is_bool()) return "recover must be true or false";
  if (!recover.get_bool()) return std::nullopt;
  if (username.empty()) return "recover needs a username: show it in auth as well";
  const std::string_view pid = StringIn(auth, "pid");
  // Without one of ours there is nothing to come back to.
  if (!socketio::PartsOf(pid)) {
    pid_ = socketio::NewPid();
    return std::nullopt;
  }
  pid_ = pid;
  shown_ =
      socketio::DecodePositions(StringIn(auth, "offset")).value_or(std::vector<socketio::RoomPosition>());
  if (shown_.empty()) Renew();
  return std::nullopt;
}

json::object SocketIoRecovery::RequestBody(std::string_view username) const {
  json::array rooms;
  for (const auto& [room, epoch, offset] : shown_)
    rooms.push_back({{"rid", TextOf(room)}, {"epoch", epoch}, {"offset", offset}});
  return {{"username", TextOf(username)}, {"resume", TextOf(token())}, {"rooms", std::move(rooms)}};
}

void SocketIoRecovery::Renew() {
  pid_ = socketio::NewPid(std::string(token()));
  shown_.clear();
}

void SocketIoRecovery::SetRooms(const std::vector<RoomOfClient>& rooms) {
  std::vector<socketio::RoomPosition> positions;
  for (const auto& [name, token, epoch, offset] : rooms) {
    // Another token's place is not found by this one.
    if (token != this->token()) return positions_.SetUnknown();
    positions.push_back({.room = name, .epoch = epoch, .offset = offset});
  }
  positions_.Set(positions);
}

}  // namespace hubbub::client
