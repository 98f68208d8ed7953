#include "services/client/socketio_protocol.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fmt/format.h"
#include "services/base/entropy.h"
#include "services/base/json_text.h"
#include "services/base/limits.h"
#include "services/client/contract.h"
#include "services/client/fields.h"
#include "services/client/pomelo_packages.h"
#include "services/client/printable.h"
#include "services/net/frame.h"
#include "services/pomelo/body.h"
#include "services/socketio/engine_packet.h"
#include "services/socketio/pomelo_text.h"

namespace hubbub::client {

using socketio::Packet;
using socketio::PacketType;

namespace {

// Of requests, for clients of Socket.IO.
struct ShortName {
  std::string_view name;
  std::string_view route;
};
constexpr std::array kShortNames{
    ShortName{"enter", route::kEnter},
    ShortName{"leave", route::kLeave},
    ShortName{"send", route::kSend},
    ShortName{"history", route::kHistory},
    ShortName{"queryEntry", route::kQueryEntry},
};

std::string_view RouteOf(std::string_view event) {
  const auto* const found = std::find_if(kShortNames.begin(), kShortNames.end(),
                                         [&](const ShortName& one) { return one.name == event; });
  return found == kShortNames.end() ? event : found->route;
}

// Appends one packet in a frame of its own: its head, and what `append(out)` appends as its data.
template <typename Append>
void AppendPacket(PacketType type, std::string_view nsp, std::string_view id, std::string& out,
                  Append append) {
  net::AppendFrame(net::Framing::kText, out, [&](std::string& to) {
    to += socketio::DigitOf(socketio::EngineType::kMessage);
    AppendHead(type, nsp, id, to);
    append(to);
  });
}

void AppendPacket(PacketType type, std::string_view nsp, std::string& out) {
  AppendPacket(type, nsp, "", out, [](std::string&) {});
}

// What Pomelo's client gets: an event with the text of an object.
void AppendPomeloText(const boost::json::object& object, std::string& out) {
  AppendPacket(PacketType::kEvent, kMainNamespace, "", out, [&](std::string& to) {
    to += '[';
    AppendJsonString(socketio::kPomeloEvent, to);
    to += ',';
    AppendJsonString(pomelo::JsonBody(object), to);
    to += ']';
  });
}

boost::json::object ErrorBody(int code, std::string_view message) {
  return {{"code", code}, {"error", true}, {"message", boost::json::string(message.data(), message.size())}};
}

// The text of an event as Pomelo's client sends it; nothing if it is none.
std::optional<std::string> PomeloTextOf(const socketio::Event& event) {
  if (event.name != socketio::kPomeloEvent || event.arguments != 1) return std::nullopt;
  auto text = socketio::ReadString(event.argument);
  if (!text.ok()) return std::nullopt;
  const auto request = socketio::DecodePomeloText(*text);
  // Other applications send texts too.
  if (!request.ok() || request->route.find('.') == std::string_view::npos) return std::nullopt;
  return *std::move(text);
}

absl::Status Wrong(std::string_view why) {
  return absl::InvalidArgumentError(std::string(why));
}

}  // namespace

bool* SocketIoProtocol::Connected(std::string_view nsp) {
  if (nsp == kMainNamespace) return &connected_[0];
  return nsp == kChatNamespace ? &connected_[1] : nullptr;
}

Taken SocketIoProtocol::Take(std::string_view bytes, bool /*frame_end*/, std::string& out) {
  if (bytes.starts_with('b')) {
    if (attachments_ == 0) return {0, Break("a binary message came that no packet has announced", out)};
    --attachments_;
    return {bytes.size(), Alive()};
  }
  if (attachments_ > 0) return {0, Break("text came where a packet has announced a binary message", out)};
  const auto packet = socketio::DecodePacket(bytes);
  if (!packet.ok()) return {0, Break(std::string(packet.status().message()), out)};
  return OnPacket(*packet, bytes.size(), out);
}

Taken SocketIoProtocol::OnPacket(const Packet& packet, size_t bytes, std::string& out) {
  if (packet.type == PacketType::kConnect) return {bytes, OnConnect(packet, out)};
  const bool* const connected = Connected(packet.nsp);
  if (connected == nullptr || !*connected) {
    return {0, Break(fmt::format("a packet came for namespace {}, which is not connected", Quote(packet.nsp)),
                     out)};
  }
  switch (packet.type) {
    case PacketType::kDisconnect:
      return {bytes, OnDisconnect(packet, out)};
    case PacketType::kEvent:
    case PacketType::kBinaryEvent:
      return OnEvent(packet, bytes, out);
    case PacketType::kAck:
    case PacketType::kBinaryAck:
      // This server asks for none, so nobody waits for it.
      attachments_ = packet.attachments;
      return {bytes, Alive()};
    case PacketType::kConnect:
    case PacketType::kConnectError:
      break;
  }
  return {0, Break("a client cannot send an error", out)};
}

SocketIoProtocol::Value SocketIoProtocol::OnConnect(const Packet& packet, std::string& out) {
  bool* const connected = Connected(packet.nsp);
  if (connected == nullptr) {
    AppendConnectError(packet.nsp, "Invalid namespace", 404, out);
    return Alive();
  }
  if (!packet.data.empty()) {
    const auto auth = pomelo::ParseJsonBody(packet.data);
    if (!auth.ok()) return Break("the auth of a client: " + std::string(auth.status().message()), out);
    if (const auto why = TakeAuth(*auth)) {
      AppendConnectError(packet.nsp, *why, 400, out);
      return Alive();
    }
  }
  *connected = true;
  AppendPacket(PacketType::kConnect, packet.nsp, "", out, [this](std::string& to) {
    if (version_ == Version::k5) to += fmt::format(R"({{"sid":"{:016x}"}})", Entropy()());
  });
  return Alive();
}

std::optional<std::string> SocketIoProtocol::TakeAuth(const boost::json::object& auth) {
  if (auth.contains("token")) {
    auto token = TextField(auth, "token");
    if (!token.ok()) return std::string(token.status().message());
    token_ = *std::move(token);
  }
  if (!auth.contains("username")) return std::nullopt;
  auto name = TextField(auth, "username");
  const absl::Status status = name.ok() ? CheckName("username", *name) : name.status();
  if (!status.ok()) return std::string(status.message());
  if (!username_.empty() && *name != username_)
    return fmt::format("this connection belongs to '{}': open a new one to use another name", username_);
  username_ = *std::move(name);
  return std::nullopt;
}

SocketIoProtocol::Value SocketIoProtocol::OnDisconnect(const Packet& packet, std::string& /*out*/) {
  *Connected(packet.nsp) = false;
  const bool leaves = stage_ == Stage::kOpen ? !AnyConnected() : packet.nsp == NamespaceOf(way_);
  if (leaves) return Left();
  return Alive();
}

Taken SocketIoProtocol::OnEvent(const Packet& packet, size_t bytes, std::string& out) {
  auto event = socketio::ReadEvent(packet.data);
  if (!event.ok()) return {0, Break(std::string(event.status().message()), out)};
  event_ = *std::move(event);
  if (stage_ == Stage::kOpen) {
    stage_ = Stage::kGreeted;
    way_ = packet.nsp == kChatNamespace ? SocketIoWay::kChat : SocketIoWay::kMain;
    if (way_ == SocketIoWay::kMain && PomeloTextOf(event_)) way_ = SocketIoWay::kPomelo;
    return {0, Hello{.type = "socket.io", .version = version_ == Version::k5 ? "5" : "4", .token = token_}};
  }
  if (stage_ == Stage::kGreeted) {
    stage_ = Stage::kReady;
    return {0, Ready()};
  }
  // Their bytes are thrown away as they come.
  attachments_ = packet.attachments;
  return {bytes, way_ == SocketIoWay::kPomelo ? PomeloRequestOf(packet) : RequestOf(packet)};
}

Request SocketIoProtocol::RequestOf(const Packet& packet) {
  Request request{.route = RouteOf(event_.name), .body = event_.argument};
  if (packet.id) request.id.emplace(*packet.id);
  if (packet.type == PacketType::kBinaryEvent)
    request.route = Wrong("binary data is not taken here: send text");
  if (event_.arguments > 1) request.route = Wrong("an event takes one object, and a function for the answer");
  if (packet.nsp != NamespaceOf(way_)) {
    request.id.reset();  // It would be answered in the other namespace.
    request.route =
        Wrong(fmt::format("this connection speaks in namespace {}: open another one", NamespaceOf(way_)));
  }
  return request;
}

Request SocketIoProtocol::PomeloRequestOf(const Packet& packet) {
  auto text = PomeloTextOf(event_);
  if (!text || packet.nsp != kMainNamespace || packet.type == PacketType::kBinaryEvent)
    return {.route = Wrong("this is no message of Pomelo"), .body = {}};
  text_ = *std::move(text);
  const auto message = socketio::DecodePomeloText(text_);
  Request request{.route = message->route, .body = message->body};
  if (message->id != 0) request.id = std::to_string(message->id);
  return request;
}

absl::StatusOr<boost::json::object> SocketIoProtocol::ReadBody(const Request& request) const {
  boost::json::object body;
  if (!request.body.empty()) {
    auto read = pomelo::ParseJsonBody(request.body);
    if (!read.ok()) return PomeloPackages::BodyError(request, std::string(read.status().message()));
    body = *std::move(read);
  }
  if (*request.route != route::kEnter || username_.empty()) return body;
  // A client that has shown its name need not say it again.
  if (!body.contains("username")) body["username"] = username_;
  const auto name = TextField(body, "username");
  if (name.ok() && *name != username_) {
    return Wrong(
        fmt::format("this connection belongs to '{}': open a new one to use another name", username_));
  }
  return body;
}

void SocketIoProtocol::AppendAnswer(std::string_view id, const boost::json::object& body,
                                    std::string& out) const {
  if (way_ == SocketIoWay::kPomelo) {
    uint32_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return AppendPomeloText({{"id", number}, {"body", body}}, out);
  }
  AppendPacket(PacketType::kAck, NamespaceOf(way_), id, out,
               [&](std::string& to) { to.append("[").append(pomelo::JsonBody(body)).append("]"); });
}

void SocketIoProtocol::AppendError(std::string_view id, int code, std::string_view message,
                                   std::string& out) const {
  AppendAnswer(id, ErrorBody(code, message), out);
}

void SocketIoProtocol::AppendConnectError(std::string_view nsp, std::string_view message, int code,
                                          std::string& out) const {
  AppendPacket(PacketType::kConnectError, nsp, "", out, [&](std::string& to) {
    if (version_ == Version::k4) return AppendJsonString(message, to);
    boost::json::object error{{"message", boost::json::string(message.data(), message.size())}};
    if (code != 404) error["data"] = ErrorBody(code, message);
    to += pomelo::JsonBody(error);
  });
}

void SocketIoProtocol::AppendRefusal(std::string& out) const {
  AppendPacket(PacketType::kDisconnect, NamespaceOf(way_), out);
}

void SocketIoProtocol::AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const {
  if (!AnyConnected()) return;
  const boost::json::string text(reason.data(), reason.size());
  const std::string_view nsp = connected_[way_ == SocketIoWay::kChat ? 1 : 0] ? NamespaceOf(way_)
                               : connected_[0]                                ? kMainNamespace
                                                                              : kChatNamespace;
  if (way_ == SocketIoWay::kPomelo) {
    AppendPomeloText({{"route", "onKick"}, {"reason", text}}, out);
  } else {
    AppendPacket(PacketType::kEvent, nsp, "", out, [&](std::string& to) {
      to.append("[\"onKick\",").append(pomelo::JsonBody(boost::json::object{{"reason", text}})).append("]");
    });
  }
  // Stock clients come back by themselves unless they are told so.
  if (why == net::CloseReason::kKicked) AppendPacket(PacketType::kDisconnect, nsp, out);
}

Fault SocketIoProtocol::Break(std::string why, std::string& out) const {
  AppendKick(why, net::CloseReason::kProtocolError, out);
  return {std::move(why)};
}

}  // namespace hubbub::client
