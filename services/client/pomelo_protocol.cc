#include "services/client/pomelo_protocol.h"

#include <memory>
#include <utility>

#include "services/client/pitaya_protocol.h"
#include "services/pomelo/body.h"
#include "services/pomelo/handshake.h"
#include "services/pomelo/message.h"

namespace hubbub::client {

using pomelo::PackageType;

namespace {

// Of the application's part of the handshake, `{"user": {"token": …}}`.
std::string TokenOf(const boost::json::value& user) {
  const boost::json::object* fields = user.if_object();
  const boost::json::value* token = fields == nullptr ? nullptr : fields->if_contains("token");
  if (token == nullptr || !token->is_string()) return {};
  return {token->get_string().data(), token->get_string().size()};
}

}  // namespace

std::string PomeloProtocol::Refusal(std::string_view reason, bool framed) {
  std::string out;
  net::AppendFrame(FramingOf(framed), out, [&](std::string& to) { pomelo::AppendKick(reason, to); });
  return out;
}

Taken PomeloProtocol::Take(std::string_view bytes, bool frame_end, std::string& out) {
  const size_t limit =
      state_ == State::kWorking ? options_.max_package_bytes : options_.max_first_package_bytes;
  const auto taken = PomeloPackages::Take(bytes, frame_end, limit);
  if (!taken.ok()) return {0, Break(std::string(taken.status().message()), out)};
  if (!taken->has_value()) return {0, Incomplete()};
  return {(*taken)->size, OnPackage((*taken)->package, out)};
}

PomeloProtocol::Value PomeloProtocol::OnPackage(const pomelo::Package& package, std::string& out) {
  switch (package.type) {
    case PackageType::kHandshake:
      if (state_ == State::kInited) return OnHandshake(package.body, out);
      return Alive();
    case PackageType::kHandshakeAck:
      if (state_ != State::kWaitAck) return Alive();
      state_ = State::kWorking;
      // The stock JavaScript client starts its own heartbeats only when it gets this first one.
      if (options_.heartbeat) AppendHeartbeat(out);
      return Ready();
    case PackageType::kHeartbeat:
      if (state_ == State::kWorking && options_.heartbeat) AppendHeartbeat(out);
      return Alive();
    case PackageType::kData:
      if (state_ == State::kWorking) return OnData(package.body, out);
      return Alive();
    case PackageType::kKick:
      break;
  }
  return Break("a client cannot send a kick", out);
}

PomeloProtocol::Value PomeloProtocol::OnHandshake(std::string_view body, std::string& out) {
  pomelo::HandshakeRequest request = pomelo::ParseHandshakeRequest(body);
  if (!request.has_sys) {
    packages_.Append(PackageType::kHandshake, pomelo::ServerHandshake::Refuse(pomelo::HandshakeCode::kFailed),
                     out);
    return Fault{"the handshake has no sys object"};
  }
  if (request.pitaya && options_.pitaya != nullptr) {
    Hello hello;
    hello.token = TokenOf(request.user);
    hello.successor = std::make_unique<PitayaProtocol>(*options_.pitaya, packages_.framing());
    return hello;
  }
  format_ = options_.contract->FormatOf(request);
  accept_ = options_.contract->Accept(request, format_);
  return Hello{.type = std::move(request.type),
               .version = std::move(request.version),
               .small_answers = format_ == WireFormat::kProtobufCesu8,
               .token = TokenOf(request.user)};
}

void PomeloProtocol::AppendAccept(std::string& out) {
  packages_.Append(PackageType::kHandshake, std::exchange(accept_, {}), out);
  state_ = State::kWaitAck;
}

void PomeloProtocol::AppendRefusal(std::string& out) const {
  packages_.Append(PackageType::kHandshake,
                   pomelo::ServerHandshake::Refuse(pomelo::HandshakeCode::kOldClient), out);
}

PomeloProtocol::Value PomeloProtocol::OnData(std::string_view bytes, std::string& out) const {
  absl::StatusOr<Request> request = PomeloPackages::ReadRequest(*options_.contract, bytes);
  if (!request.ok()) return Break(std::string(request.status().message()), out);
  return *std::move(request);
}

absl::StatusOr<boost::json::object> PomeloProtocol::ReadBody(const Request& request) const {
  auto body = options_.contract->ReadBody(format_, *request.route, request.body);
  if (body.ok()) return body;
  return PomeloPackages::BodyError(request, std::string(body.status().message()));
}

void PomeloProtocol::AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) {
  packages_.AppendAnswer(id, out, [&](const pomelo::MessageId& message_id, std::string& to) {
    pomelo::AppendResponse(message_id, pomelo::JsonBody(body), to);
  });
}

void PomeloProtocol::AppendError(std::string_view id, int code, std::string_view message, std::string& out) {
  AppendAnswer(
      id, {{"code", code}, {"error", true}, {"message", boost::json::string(message.data(), message.size())}},
      out);
}

void PomeloProtocol::AppendHeartbeat(std::string& out) const {
  packages_.Append(PackageType::kHeartbeat, "", out);
}

Fault PomeloProtocol::Break(std::string why, std::string& out) const {
  AppendKick(why, net::CloseReason::kProtocolError, out);
  return {std::move(why)};
}

void PomeloProtocol::AppendKick(std::string_view reason, net::CloseReason /*why*/, std::string& out) const {
  net::AppendFrame(packages_.framing(), out, [&](std::string& to) { pomelo::AppendKick(reason, to); });
}

}  // namespace hubbub::client
