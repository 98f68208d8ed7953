#include "services/client/pitaya_protocol.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "services/pomelo/body.h"
#include "services/pomelo/deflate.h"
#include "services/pomelo/message.h"

namespace hubbub::client {

using pomelo::PackageType;

namespace {

// Of pkg/agent, if the configuration does not say another one.
constexpr std::chrono::seconds kDefaultHeartbeat{30};

class PitayaFormat final : public PushFormat {
 public:
  void AppendPush(std::string_view route, const PushBody& body, std::string& out) const override {
    std::string text;
    body.AppendJson(text);
    const size_t start = pomelo::BeginPackage(PackageType::kData, out);
    pomelo::AppendPitayaPush(route, text, out);
    pomelo::EndPackage(start, out);
  }
};

}  // namespace

PitayaTerms::PitayaTerms(const ClientContract& contract, PushEncodings& encodings,
                         std::optional<std::chrono::seconds> heartbeat, size_t max_body_bytes)
    : contract_(contract),
      heartbeat_(heartbeat.value_or(kDefaultHeartbeat)),
      max_body_bytes_(max_body_bytes),
      handshake_(heartbeat_, contract.dictionary()),
      pushes_(encodings.Add(std::make_unique<PitayaFormat>(), {net::Framing::kNone, net::Framing::kBinary})) {
}

Taken PitayaProtocol::Take(std::string_view bytes, bool frame_end, std::string& out) {
  const auto taken = PomeloPackages::Take(bytes, frame_end, terms_.max_body_bytes());
  if (!taken.ok()) return {0, Break(std::string(taken.status().message()), out)};
  if (!taken->has_value()) return {0, Incomplete()};
  if (frame_end && (*taken)->size != bytes.size())
    return {0, Break("a frame holds more than one package", out)};
  return {(*taken)->size, OnPackage((*taken)->package, out)};
}

PitayaProtocol::Value PitayaProtocol::OnPackage(const pomelo::Package& package, std::string& out) {
  switch (package.type) {
    case PackageType::kHandshake:
      AppendAccept(out);
      return Alive();
    case PackageType::kHandshakeAck:
      acknowledged_ = true;
      if (std::exchange(ready_, true)) return Alive();
      return Ready();
    case PackageType::kData:
      if (acknowledged_) return OnData(package.body, out);
      return Break("data came before the handshake's ack", out);
    case PackageType::kHeartbeat:
    case PackageType::kKick:
      break;
  }
  return Alive();
}

PitayaProtocol::Value PitayaProtocol::OnData(std::string_view bytes, std::string& out) const {
  absl::StatusOr<Request> request = PomeloPackages::ReadRequest(terms_.contract(), bytes);
  if (!request.ok()) return Break(std::string(request.status().message()), out);
  if (request->route.ok()) request->route = FullRoute(*request->route);
  return *std::move(request);
}

absl::StatusOr<std::string_view> PitayaProtocol::FullRoute(std::string_view route) const {
  if (const auto why = pomelo::PitayaRouteError(route)) return absl::InvalidArgumentError(std::string(*why));
  return pomelo::FullRoute(terms_.contract().routes(), route);
}

absl::StatusOr<boost::json::object> PitayaProtocol::ReadBody(const Request& request) const {
  if (request.body.empty()) return boost::json::object();
  auto body = pomelo::ParseJsonBody(request.body);
  if (body.ok()) return body;
  return PomeloPackages::BodyError(request, std::string(body.status().message()));
}

Inflated PitayaProtocol::Inflate(const Request& request, size_t most) const {
  size_t made = 0;
  auto text = pomelo::Inflate(request.body, std::min(most, terms_.max_body_bytes()), &made);
  if (text.ok()) return {std::move(text), made};
  if (absl::IsOutOfRange(text.status()) && most < terms_.max_body_bytes())
    return {absl::ResourceExhaustedError(text.status().message()), made};
  return {PomeloPackages::BodyError(request, std::string(text.status().message())), made};
}

void PitayaProtocol::AppendAccept(std::string& out) {
  acknowledged_ = false;
  packages_.Append(PackageType::kHandshake, terms_.handshake().Accept(), out);
}

void PitayaProtocol::AppendRefusal(std::string& out) const {
  packages_.Append(PackageType::kHandshake, terms_.handshake().Refuse(), out);
}

void PitayaProtocol::AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) {
  packages_.AppendAnswer(id, out, [&](const pomelo::MessageId& message_id, std::string& to) {
    pomelo::AppendPitayaResponse(message_id, pomelo::JsonBody(body), to);
  });
}

void PitayaProtocol::AppendError(std::string_view id, int code, std::string_view message, std::string& out) {
  packages_.AppendAnswer(id, out, [&](const pomelo::MessageId& message_id, std::string& to) {
    pomelo::AppendPitayaError(message_id, pomelo::PitayaErrorBody(code, message), to);
  });
}

void PitayaProtocol::AppendKick(std::string_view /*reason*/, net::CloseReason /*why*/,
                                std::string& out) const {
  packages_.Append(PackageType::kKick, "", out);
}

void PitayaProtocol::AppendHeartbeat(std::string& out) const {
  packages_.Append(PackageType::kHeartbeat, "", out);
}

Fault PitayaProtocol::Break(std::string why, std::string& out) const {
  AppendKick(why, net::CloseReason::kProtocolError, out);
  return {std::move(why)};
}

}  // namespace hubbub::client
