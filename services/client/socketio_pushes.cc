#include "services/client/socketio_pushes.h"

#include <memory>
#include <string>

#include "services/base/json_text.h"
#include "services/socketio/engine_packet.h"
#include "services/socketio/packet.h"
#include "services/socketio/recovery.h"

namespace hubbub::client {
namespace {

using socketio::DigitOf;
using socketio::EngineType;
using socketio::PacketType;

// An event whose name is the route and whose argument is the body; `positions`: the event's position follows,
// if it has one.
class EventFormat final : public PushFormat {
 public:
  EventFormat(SocketIoWay way, bool positions) : positions_(positions) {
    head_ += DigitOf(EngineType::kMessage);
    AppendHead(PacketType::kEvent, NamespaceOf(way), "", head_);
    head_ += '[';
  }

  void AppendPush(std::string_view route, const PushBody& body, std::string& out) const override {
    out += head_;
    AppendJsonString(route, out);
    out += ',';
    body.AppendJson(out);
    if (positions_) {
      if (const auto position = body.position()) AppendPosition(*position, out);
    }
    out += ']';
  }

 private:
  static void AppendPosition(const EventPosition& position, std::string& out) {
    std::string text;
    socketio::AppendPosition(position.room, position.epoch, position.offset, text);
    out += ',';
    AppendJsonString(text, out);
  }

  const bool positions_;
  std::string head_;
};

// An event "message" with a text: the JSON of route and body.
class PomeloTextFormat final : public PushFormat {
 public:
  void AppendPush(std::string_view route, const PushBody& body, std::string& out) const override {
    std::string text = "{\"route\":";
    AppendJsonString(route, text);
    text += ",\"body\":";
    body.AppendJson(text);
    text += '}';
    out += "42[\"message\",";
    AppendJsonString(text, out);
    out += ']';
  }
};

}  // namespace

SocketIoPushes::SocketIoPushes(PushEncodings& encodings) {
  for (const SocketIoWay way : kSocketIoWays) {
    std::unique_ptr<const PushFormat> format;
    if (way == SocketIoWay::kPomelo) {
      format = std::make_unique<PomeloTextFormat>();
    } else {
      format = std::make_unique<EventFormat>(way, /*positions=*/false);
    }
    groups_[static_cast<size_t>(way)] = &encodings.Add(std::move(format), {net::Framing::kText});
    if (way == SocketIoWay::kPomelo) continue;
    with_positions_[static_cast<size_t>(way)] =
        &encodings.Add(std::make_unique<EventFormat>(way, /*positions=*/true), {net::Framing::kText});
  }
}

}  // namespace hubbub::client
