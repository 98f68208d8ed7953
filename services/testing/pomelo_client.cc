#include "services/testing/pomelo_client.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include "services/pomelo/body.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"

namespace hubbub::testing {
namespace {

using pomelo::PackageType;

std::string PackageOf(PackageType type, std::string_view body) {
  std::string bytes;
  pomelo::AppendPackage(type, body, bytes);
  return bytes;
}

boost::json::object Parse(std::string_view body) {
  auto parsed = pomelo::ParseJsonBody(body);
  if (!parsed.ok()) throw std::runtime_error("the server's body is no JSON object: " + std::string(body));
  return *std::move(parsed);
}

// A package's type and body; nothing if the server has closed.
std::pair<PackageType, std::string> ReadPackage(TcpClient& socket) {
  const std::string head = socket.Read(pomelo::kPackageHead);
  if (head.size() < pomelo::kPackageHead) return {};
  size_t size = 0;
  for (int i = 1; i <= 3; ++i) size = size << 8 | static_cast<unsigned char>(head[static_cast<size_t>(i)]);
  return {static_cast<PackageType>(head[0]), socket.Read(size)};
}

}  // namespace

PomeloClient::PomeloClient(uint16_t port, std::string_view type) : socket_(port) {
  const boost::json::object request{{"sys", {{"type", std::string(type)}, {"version", "1.0"}}}};
  socket_.Send(PackageOf(PackageType::kHandshake, pomelo::JsonBody(request)));
  const auto [kind, body] = ReadPackage(socket_);
  if (kind != PackageType::kHandshake) throw std::runtime_error("the server did not answer the handshake");
  handshake_ = Parse(body);
  socket_.Send(PackageOf(PackageType::kHandshakeAck, ""));
}

boost::json::object PomeloClient::Request(std::string_view route, const boost::json::object& body) {
  Ask(route, body);
  while (true) {
    Incoming incoming = Read();
    switch (incoming.kind) {
      case Incoming::Kind::kPush:
        pushes_.push_back(std::move(incoming.push));
        continue;
      case Incoming::Kind::kResponse:
        if (incoming.id == last_id_) return std::move(incoming.body);
        continue;
      case Incoming::Kind::kKick:
        throw std::runtime_error("kicked: " + boost::json::serialize(incoming.body));
      case Incoming::Kind::kEnd:
        throw std::runtime_error("the server closed before it answered");
    }
  }
}

void PomeloClient::Ask(std::string_view route, const boost::json::object& body) {
  std::string message;
  pomelo::AppendRequest(++last_id_, route, pomelo::JsonBody(body), message);
  socket_.Send(PackageOf(PackageType::kData, message));
}

void PomeloClient::Notify(std::string_view route, const boost::json::object& body) {
  std::string message;
  pomelo::AppendNotify(route, pomelo::JsonBody(body), message);
  socket_.Send(PackageOf(PackageType::kData, message));
}

PomeloClient::Push PomeloClient::NextPush() {
  while (pushes_.empty()) {
    Incoming incoming = Read();
    if (incoming.kind == Incoming::Kind::kPush) pushes_.push_back(std::move(incoming.push));
    if (incoming.kind == Incoming::Kind::kKick || incoming.kind == Incoming::Kind::kEnd)
      throw std::runtime_error("the server ended the session before a push came");
  }
  Push push = std::move(pushes_.front());
  pushes_.pop_front();
  return push;
}

std::string PomeloClient::ReadEnd() {
  while (true) {
    Incoming incoming = Read();
    if (incoming.kind == Incoming::Kind::kPush) pushes_.push_back(std::move(incoming.push));
    if (incoming.kind == Incoming::Kind::kKick) return std::string(incoming.body.at("reason").as_string());
    if (incoming.kind == Incoming::Kind::kEnd) return "closed";
  }
}

PomeloClient::Incoming PomeloClient::Read() {
  while (true) {
    const auto [type, bytes] = ReadPackage(socket_);
    Incoming incoming;
    if (type == PackageType::kHeartbeat) continue;
    if (type == PackageType::kKick) {
      incoming.kind = Incoming::Kind::kKick;
      incoming.body = Parse(bytes);
      return incoming;
    }
    if (type != PackageType::kData) return incoming;
    const auto message = pomelo::DecodeMessage(bytes);
    if (!message.ok()) throw std::runtime_error("the server's message cannot be read");
    if (message->type == pomelo::MessageType::kResponse) {
      incoming.kind = Incoming::Kind::kResponse;
      incoming.id = message->id.number();
      incoming.body = Parse(message->body);
    } else {
      incoming.kind = Incoming::Kind::kPush;
      incoming.push = {std::string(std::get<std::string_view>(message->route)), Parse(message->body)};
    }
    return incoming;
  }
}

}  // namespace hubbub::testing
