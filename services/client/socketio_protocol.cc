#include "services/client/socketio_protocol.h"

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
#include "services/client/socketio_events.h"
#include "services/client/socketio_packets.h"
#include "services/pomelo/body.h"
#include "services/socketio/pomelo_text.h"

namespace hubbub::client {

using socketio::Packet;
using socketio::PacketType;

namespace {

// The id of the request that a CONNECT packet makes: ids of acknowledgements are digits.
constexpr std::string_view kConnectId = "connect";

absl::Status Wrong(std::string_view why) {
  return absl::InvalidArgumentError(std::string(why));
}

}  // namespace

SocketIoProtocol::Namespace* SocketIoProtocol::Find(std::string_view nsp) {
  if (nsp == kMainNamespace) return &namespaces_[0];
  return nsp == kChatNamespace ? &namespaces_[1] : nullptr;
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
  if (packet.type == PacketType::kConnect) return OnConnect(packet, bytes, out);
  const Namespace* const nsp = Find(packet.nsp);
  if (nsp == nullptr || !nsp->connected) {
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

Taken SocketIoProtocol::OnConnect(const Packet& packet, size_t bytes, std::string& out) {
  Namespace* const nsp = Find(packet.nsp);
  if (nsp == nullptr) {
    AppendConnectError(packet.nsp, "Invalid namespace", 404, out);
    return {bytes, Alive()};
  }
  if (!packet.data.empty()) {
    const auto auth = pomelo::ParseJsonBody(packet.data);
    if (!auth.ok())
      return {bytes, Break("the auth of a client: " + std::string(auth.status().message()), out)};
    auto why = TakeAuth(*auth);
    if (!why && recovers_ && version_ == Version::k5 && !nsp->connected)
      why = nsp->recovery.Take(*auth, username_);
    if (why) {
      AppendConnectError(packet.nsp, *why, 400, out);
      return {bytes, Alive()};
    }
    // From the hello on the session has its token.
    const bool is_news = HasField(*auth, "token") && !token_.empty() && token_ != taken_token_;
    if (stage_ == Stage::kOpen && is_news) {
      if (!judged_) return {0, TokenShown{.token = token_}};
      if (!judged_->ok()) return RefuseToken(*nsp, packet, bytes, out);
      judged_.reset();
      taken_token_ = token_;
    }
  }
  if (nsp->recovery.shows_state() && !nsp->connected) {
    if (stage_ == Stage::kOpen || comes_back_) return ComeBack(packet, bytes);
    // The session has its own state already.
    nsp->recovery.Renew();
  }
  nsp->connected = true;
  AppendConnect(packet.nsp, nsp->recovery, out);
  return {bytes, Alive()};
}

Taken SocketIoProtocol::RefuseToken(Namespace& nsp, const Packet& packet, size_t bytes, std::string& out) {
  AppendConnectError(packet.nsp, std::string(judged_->message()), 401, out);
  judged_.reset();
  token_.clear();
  if (!AnyConnected()) username_.clear();
  if (!nsp.connected) nsp.recovery = {};
  if (++refused_tokens_ < kMostRefusedTokens) return {bytes, Alive()};
  return {bytes, Break("none of the sign-in tokens that you have shown is taken", out)};
}

Taken SocketIoProtocol::ComeBack(const Packet& packet, size_t bytes) {
  comes_back_ = true;
  if (stage_ == Stage::kOpen) return {0, HelloOf(packet.nsp)};
  if (stage_ == Stage::kGreeted) {
    stage_ = Stage::kReady;
    return {0, Ready()};
  }
  return {bytes, Request{.id = std::string(kConnectId), .route = route::kRecover, .body = packet.data}};
}

Hello SocketIoProtocol::HelloOf(std::string_view nsp) {
  stage_ = Stage::kGreeted;
  way_ = nsp == kChatNamespace ? SocketIoWay::kChat : SocketIoWay::kMain;
  return {.type = "socket.io", .version = version_ == Version::k5 ? "5" : "4", .token = token_};
}

void SocketIoProtocol::AppendConnect(std::string_view nsp, const SocketIoRecovery& recovery,
                                     std::string& out) const {
  AppendPacket(PacketType::kConnect, nsp, "", out, [&](std::string& to) {
    if (version_ == Version::k4) return;
    to += recovery.wanted() ? fmt::format(R"({{"sid":"{}","pid":"{}"}})", recovery.id(), recovery.pid())
                            : fmt::format(R"({{"sid":"{:016x}"}})", Entropy()());
  });
}

std::optional<std::string> SocketIoProtocol::TakeAuth(const boost::json::object& auth) {
  if (HasField(auth, "token")) {
    auto token = TextField(auth, "token");
    if (!token.ok()) return std::string(token.status().message());
    token_ = *std::move(token);
  }
  if (!HasField(auth, "username")) return std::nullopt;
  auto name = TextField(auth, "username");
  const absl::Status status = name.ok() ? CheckName("username", *name) : name.status();
  if (!status.ok()) return std::string(status.message());
  if (!username_.empty() && *name != username_)
    return fmt::format("this connection belongs to '{}': open a new one to use another name", username_);
  username_ = *std::move(name);
  return std::nullopt;
}

SocketIoProtocol::Value SocketIoProtocol::OnDisconnect(const Packet& packet, std::string& /*out*/) {
  Find(packet.nsp)->connected = false;
  const bool leaves = stage_ == Stage::kOpen ? !AnyConnected() : packet.nsp == NamespaceOf(way_);
  if (leaves) return Left();
  return Alive();
}

Taken SocketIoProtocol::OnEvent(const Packet& packet, size_t bytes, std::string& out) {
  auto event = socketio::ReadEvent(packet.data);
  if (!event.ok()) return {0, Break(std::string(event.status().message()), out)};
  event_ = *std::move(event);
  if (stage_ == Stage::kOpen) {
    Hello hello = HelloOf(packet.nsp);
    if (way_ == SocketIoWay::kMain && PomeloTextOf(event_)) way_ = SocketIoWay::kPomelo;
    return {0, std::move(hello)};
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
  Request request{.route = RouteOfEvent(event_.name), .body = event_.argument};
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
  if (comes_back_) return recovery().RequestBody(username_);
  boost::json::object body;
  if (!request.body.empty()) {
    auto read = pomelo::ParseJsonBody(request.body);
    if (!read.ok()) return PomeloPackages::BodyError(request, std::string(read.status().message()));
    body = *std::move(read);
  }
  if (*request.route != route::kEnter || username_.empty()) return body;
  // So that the place is the one that its state names.
  if (WantsRooms() && !body.contains("resume")) body["resume"] = std::string(recovery().token());
  // A client that has shown its name need not say it again.
  if (!body.contains("username")) body["username"] = username_;
  const auto name = TextField(body, "username");
  if (name.ok() && *name != username_) {
    return Wrong(
        fmt::format("this connection belongs to '{}': open a new one to use another name", username_));
  }
  return body;
}

void SocketIoProtocol::AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) {
  if (id == kConnectId) return AnswerConnect(out);
  if (way_ == SocketIoWay::kPomelo) {
    uint32_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return AppendPomeloText({{"id", number}, {"body", body}}, out);
  }
  AppendPacket(PacketType::kAck, NamespaceOf(way_), id, out,
               [&](std::string& to) { to.append("[").append(pomelo::JsonBody(body)).append("]"); });
}

void SocketIoProtocol::AppendError(std::string_view id, int code, std::string_view message,
                                   std::string& out) {
  if (id == kConnectId) recovery().Renew();
  AppendAnswer(id, ErrorBody(code, message), out);
}

void SocketIoProtocol::AnswerConnect(std::string& out) {
  comes_back_ = false;
  own().connected = true;
  AppendConnect(NamespaceOf(way_), recovery(), out);
}

void SocketIoProtocol::AppendRooms(const std::vector<RoomOfClient>& rooms, std::string& out) {
  recovery().SetRooms(rooms);
  boost::json::array names;
  for (const RoomOfClient& room : rooms) names.emplace_back(room.name);
  AppendPacket(PacketType::kEvent, NamespaceOf(way_), "", out, [&](std::string& to) {
    to += '[';
    AppendJsonString(route::kOnRooms, to);
    to.append(",").append(pomelo::JsonBody(boost::json::object{{"rooms", std::move(names)}})).append(",");
    recovery().positions().AppendJson(to);
    to += ']';
  });
}

void SocketIoProtocol::AppendRefusal(std::string& out) const {
  AppendPacket(PacketType::kDisconnect, NamespaceOf(way_), out);
}

void SocketIoProtocol::AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const {
  if (comes_back_ && !net::MayComeBack(why)) return AppendConnectError(NamespaceOf(way_), reason, 401, out);
  if (!AnyConnected()) return;
  const boost::json::string text(reason.data(), reason.size());
  const std::string_view nsp = own().connected            ? NamespaceOf(way_)
                               : namespaces_[0].connected ? kMainNamespace
                                                          : kChatNamespace;
  if (way_ == SocketIoWay::kPomelo) {
    AppendPomeloText({{"route", "onKick"}, {"reason", text}}, out);
  } else {
    AppendPacket(PacketType::kEvent, nsp, "", out, [&](std::string& to) {
      to.append("[\"onKick\",").append(pomelo::JsonBody(boost::json::object{{"reason", text}})).append("]");
    });
  }
  // Stock clients come back by themselves unless they are told so.
  if (!net::MayComeBack(why)) AppendPacket(PacketType::kDisconnect, nsp, out);
}

Fault SocketIoProtocol::Break(std::string why, std::string& out) const {
  AppendKick(why, net::CloseReason::kProtocolError, out);
  return {std::move(why)};
}

}  // namespace hubbub::client
