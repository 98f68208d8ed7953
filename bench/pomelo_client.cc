#include "bench/pomelo_client.h"

#include <string>
#include <utility>

#include "bench/dialect.h"
#include "boost/json.hpp"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"

namespace hubbub::bench {
namespace {

constexpr std::string_view kQueryEntry = "gate.gateHandler.queryEntry";
constexpr std::string_view kEnter = "connector.entryHandler.enter";
constexpr std::string_view kSend = "chat.chatHandler.send";
constexpr std::string_view kOnChat = "onChat";

std::string Package(pomelo::PackageType type) {
  std::string bytes;
  pomelo::AppendPackage(type, "", bytes);
  return bytes;
}

}  // namespace

absl::Status PomeloClient::Start() {
  const auto& gates = audience_.entries;
  return Connect(gates[static_cast<size_t>(number_) % gates.size()], {});
}

absl::Status PomeloClient::OnReady(uint32_t events) {
  if (absl::Status status = Client::OnReady(events); !status.ok()) return status;
  if (connector_.port == 0) return absl::OkStatus();
  // The gate has answered: on to the connector it named.
  state_ = State::kEntering;
  return Connect(std::exchange(connector_, {}), {});
}

void PomeloClient::OnOpen() {
  connection_.Queue(audience_.handshake);
}

bool PomeloClient::OnPackage(const pomelo::Package& package) {
  switch (package.type) {
    case pomelo::PackageType::kData:
      return OnMessage(package.body);
    case pomelo::PackageType::kHandshake:
      return OnHandshake(package.body);
    case pomelo::PackageType::kKick:
      return Fail(absl::AbortedError("the server kicked a client: " + std::string(package.body)));
    default:
      return true;  // A heartbeat needs no answer: ours go by the clock.
  }
}

bool PomeloClient::OnHandshake(std::string_view body) {
  auto terms = audience_.TermsOf(body);
  if (!terms.ok()) return Fail(terms.status());
  terms_ = *std::move(terms);
  connection_.Queue(Package(pomelo::PackageType::kHandshakeAck));
  if (state_ == State::kAskingGate) {
    Request(kQueryEntry, {{"uid", user_}});
  } else {
    Request(kEnter, {{"username", user_}, {"rid", room_}});
  }
  return true;
}

bool PomeloClient::OnMessage(std::string_view bytes) {
  const auto message = pomelo::DecodeMessage(bytes);
  if (!message.ok()) return Fail(message.status());
  if (message->type == pomelo::MessageType::kPush) {
    if (state_ == State::kEntered && terms_->Is(message->route, kOnChat))
      audience_.OnDelivery(*this, message->body);
    return true;
  }
  if (state_ == State::kAskingGate) {
    OnGateAnswer(message->body);
    return false;
  }
  absl::Status status = CheckAnswer(message->body);
  if (state_ == State::kEntered) {
    audience_.OnAnswer(*this, status);
    return true;
  }
  if (!status.ok()) return Fail(std::move(status));
  state_ = State::kEntered;
  audience_.OnEntered(*this);
  return true;
}

void PomeloClient::OnGateAnswer(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value answer = boost::json::parse(body, error);
  const auto* host = answer.is_object() ? answer.as_object().if_contains("host") : nullptr;
  const auto* port = answer.is_object() ? answer.as_object().if_contains("port") : nullptr;
  if (host == nullptr || port == nullptr || !host->is_string() || !port->is_int64()) {
    Fail(absl::UnavailableError("the gate names no connector: " + std::string(body.substr(0, 200))));
    return;
  }
  const auto& name = host->as_string();
  auto connector = LoopbackEndpoint(std::string(name.data(), name.size()), port->as_int64());
  if (!connector.ok()) {
    Fail(absl::InvalidArgumentError("the gate names a connector that cannot be used: " +
                                    std::string(connector.status().message())));
    return;
  }
  connector_ = *connector;
}

void PomeloClient::Request(std::string_view route, Terms::Fields fields) {
  std::string package;
  terms_->AppendRequest(next_id_++, route, fields, package);
  connection_.Queue(package);
}

void PomeloClient::Send(std::string_view text) {
  Request(kSend, {{"rid", room_}, {"content", text}, {"from", user_}, {"target", "*"}});
}

void PomeloClient::SendHeartbeat() {
  connection_.Queue(Package(pomelo::PackageType::kHeartbeat));
}

}  // namespace hubbub::bench
