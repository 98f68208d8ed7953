#include "services/client/socketio_positions.h"

#include <algorithm>
#include <memory>

#include "services/base/json_text.h"
#include "services/net/frame.h"
#include "services/net/read_frames.h"

namespace hubbub::client {
namespace {

// A line feed inside of a JSON string.
constexpr std::string_view kSeparator = "\\n";

// The inside of the JSON string.
std::string Escaped(std::string_view text) {
  std::string json;
  AppendJsonString(text, json);
  return json.substr(1, json.size() - 2);
}

// What stands behind epoch and offset.
std::string_view NameIn(std::string_view position) {
  for (int i = 0; i < 2; ++i) {
    const size_t space = position.find(' ');
    if (space == std::string_view::npos) return {};
    position.remove_prefix(space + 1);
  }
  return position;
}

}  // namespace

void SocketIoPositions::Set(const std::vector<socketio::RoomPosition>& rooms) {
  rooms_.clear();
  if (rooms.size() > socketio::kMostPositions) return;
  for (const auto& [room, epoch, offset] : rooms) {
    std::string position;
    socketio::AppendPosition(room, epoch, offset, position);
    rooms_.push_back({.name = Escaped(room), .position = Escaped(position)});
  }
}

void SocketIoPositions::AppendJson(std::string& out) const {
  out += '"';
  if (rooms_.empty()) out += socketio::kNoPositions;
  for (const Room& room : rooms_) {
    if (&room != &rooms_.front()) out += kSeparator;
    out += room.position;
  }
  out += '"';
}

net::Payload SocketIoPositions::Of(net::Payload frames) {
  if (rooms_.size() == 1) return frames;
  std::string out;
  out.reserve(frames->size() + 256);
  net::ForEachFrame(*frames, [&](std::string_view event) {
    net::AppendFrame(net::Framing::kText, out, [&](std::string& to) { AppendOwn(event, to); });
  });
  return std::make_shared<const std::string>(std::move(out));
}

void SocketIoPositions::AppendOwn(std::string_view event, std::string& out) {
  // Other arguments are objects. Inside of a string each quote has a backslash before it.
  const size_t begin = event.rfind(",\"");
  if (!event.ends_with("\"]") || begin == std::string_view::npos) {
    out += event;
    return;
  }
  See(event.substr(begin + 2, event.size() - 2 - (begin + 2)));
  out += event.substr(0, begin + 1);
  AppendJson(out);
  out += ']';
}

void SocketIoPositions::See(std::string_view position) {
  const std::string_view name = NameIn(position);
  const auto room =
      std::find_if(rooms_.begin(), rooms_.end(), [&](const Room& one) { return one.name == name; });
  if (room != rooms_.end()) room->position = position;
}

}  // namespace hubbub::client
