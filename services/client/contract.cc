#include "services/client/contract.h"

#include <stdexcept>
#include <vector>

#include "fmt/format.h"
#include "services/pomelo/body.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "spdlog/spdlog.h"

namespace hubbub::client {
namespace {

// The stock demo's schema of onChat, then what Hubbub adds. `offset` and `epoch` are doubles because old
// clients hold integers in 32 bits; a double is exact up to 2^53.
constexpr const char* kServerProtos = R"({
  "onChat": {
    "required string msg": 1,
    "required string from": 2,
    "required string target": 3,
    "optional string rid": 4,
    "optional double offset": 5,
    "optional double epoch": 6,
    "optional double time": 7
  }
})";

// What was offered for requests once, and is not any more; see ReadBody.
constexpr const char* kFormerClientProtos = R"({
  "gate.gateHandler.queryEntry": {
    "required string uid": 1
  },
  "connector.entryHandler.enter": {
    "required string username": 1,
    "required string rid": 2,
    "optional string resume": 3,
    "optional double epoch": 4,
    "optional double offset": 5
  },
  "connector.entryHandler.leave": {
    "required string rid": 1
  },
  "chat.chatHandler.send": {
    "required string rid": 1,
    "required string content": 2,
    "optional string from": 3,
    "required string target": 4,
    "optional string id": 5
  }
})";

pomelo::Schema ParseSchema(const char* text) {
  auto schema = pomelo::Schema::Parse(boost::json::parse(text).as_object());
  if (!schema.ok())
    throw std::logic_error("a built-in schema is wrong: " + std::string(schema.status().message()));
  return *std::move(schema);
}

pomelo::Dictionary MakeDictionary() {
  auto dictionary = pomelo::Dictionary::Make({std::string(route::kQueryEntry), std::string(route::kEnter),
                                              std::string(route::kLeave), std::string(route::kRefresh),
                                              std::string(route::kSend)});
  if (!dictionary.ok())
    throw std::logic_error("a built-in route is wrong: " + std::string(dictionary.status().message()));
  return *std::move(dictionary);
}

}  // namespace

ClientContract::ClientContract(bool use_dict, bool use_protobuf,
                               std::optional<std::chrono::seconds> heartbeat)
    : routes_(MakeDictionary()),
      use_dict_(use_dict),
      server_protos_(ParseSchema(kServerProtos)),
      former_client_protos_(ParseSchema(kFormerClientProtos)),
      use_protobuf_(use_protobuf) {
  pomelo::HandshakeOptions options{.heartbeat = heartbeat, .dictionary = dictionary()};
  json_handshake_.emplace(options);
  if (use_protobuf) options.server_protos = &*server_protos_;
  handshake_.emplace(options);
}

WireFormat ClientContract::FormatOf(const pomelo::HandshakeRequest& request) const {
  if (!use_protobuf_ || request.type == kOwnClient || request.type.empty()) return WireFormat::kJson;
  return pomelo::TextEncodingOf(request) == pomelo::TextEncoding::kCesu8 ? WireFormat::kProtobufCesu8
                                                                         : WireFormat::kProtobufUtf8;
}

std::string ClientContract::Accept(const pomelo::HandshakeRequest& request, WireFormat format) const {
  return (format == WireFormat::kJson ? json_handshake_ : handshake_)->Accept(request);
}

absl::StatusOr<std::string_view> ClientContract::RouteOf(const pomelo::Route& route) const {
  if (const auto* text = std::get_if<std::string_view>(&route)) return *text;
  if (!use_dict_) return absl::NotFoundError("route codes are not in use here: send the route as text");
  const uint16_t code = std::get<uint16_t>(route);
  const auto found = routes_.RouteOf(code);
  if (!found) return absl::NotFoundError(fmt::format("no route has the code {}", code));
  return *found;
}

absl::StatusOr<boost::json::object> ClientContract::ReadBody(WireFormat format, std::string_view route,
                                                             std::string_view body) const {
  if (body.empty()) return boost::json::object();
  if (format == WireFormat::kJson || !former_client_protos_->Has(route)) return pomelo::ParseJsonBody(body);
  // JSON goes first. What begins with '{' is nothing else, for no former schema has the tag 15; and white
  // space may be a tag, but hardly one that JSON follows to the end of the body.
  const bool like_json = pomelo::BeginsLikeObject(body);
  if (like_json) {
    if (absl::StatusOr<boost::json::object> json = pomelo::ParseJsonBody(body); json.ok()) return json;
  }
  absl::StatusOr<boost::json::object> protobuf = former_client_protos_->Decode(route, body);
  if (protobuf.ok()) return protobuf;
  // Its author meant JSON.
  if (like_json) return pomelo::ParseJsonBody(body);
  return absl::InvalidArgumentError(fmt::format(
      "{}; nor is it protobuf of the schema that was offered once: {}",
      std::string(pomelo::ParseJsonBody(body).status().message()), std::string(protobuf.status().message())));
}

absl::Status ClientContract::CheckPush(std::string_view route, const boost::json::object& body) const {
  if (!use_protobuf_ || !server_protos_->Has(route)) return absl::OkStatus();
  std::string ignored;
  return server_protos_->Encode(route, body, pomelo::TextEncoding::kUtf8, ignored);
}

void ClientContract::AppendPush(WireFormat format, std::string_view route, const PushBody& body,
                                std::string& out) const {
  const size_t start = pomelo::BeginPackage(pomelo::PackageType::kData, out);
  pomelo::AppendPushHead(route, out);
  if (format != WireFormat::kJson && server_protos_->Has(route)) {
    const auto encoding =
        format == WireFormat::kProtobufCesu8 ? pomelo::TextEncoding::kCesu8 : pomelo::TextEncoding::kUtf8;
    if (absl::Status status = server_protos_->Encode(route, body.object(), encoding, out); !status.ok()) {
      spdlog::error("a push of {} was dropped: {}", route, std::string(status.message()));
      out.resize(start);
      return;
    }
  } else {
    body.AppendJson(out);
  }
  pomelo::EndPackage(start, out);
}

}  // namespace hubbub::client
