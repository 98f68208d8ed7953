#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "services/client/push_body.h"
#include "services/pomelo/dictionary.h"
#include "services/pomelo/handshake.h"
#include "services/pomelo/message.h"
#include "services/pomelo/protobuf.h"

namespace hubbub::client {

// How one of Pomelo's clients reads the bodies of pushes.
enum class WireFormat : uint8_t { kJson, kProtobufUtf8, kProtobufCesu8 };
inline constexpr int kWireFormats = 3;

// What this project's own client, gateway/web/hubbub-client.js, calls itself in its handshake.
inline constexpr std::string_view kOwnClient = "hubbub-web";

// The routes that clients call, the whole suite's, as Pomelo's dictionary lists them.
namespace route {
inline constexpr std::string_view kQueryEntry = "gate.gateHandler.queryEntry";
inline constexpr std::string_view kEnter = "connector.entryHandler.enter";
inline constexpr std::string_view kRefresh = "connector.entryHandler.refresh";
inline constexpr std::string_view kLeave = "connector.entryHandler.leave";
inline constexpr std::string_view kSend = "chat.chatHandler.send";
// Not in the dictionary, whose codes are as they were before there was this route.
inline constexpr std::string_view kHistory = "chat.chatHandler.history";
// Pushes. As in the stock demo they have no code and travel as text.
inline constexpr std::string_view kOnChat = "onChat";
inline constexpr std::string_view kOnAdd = "onAdd";
inline constexpr std::string_view kOnLeave = "onLeave";
// Messages were left out, because the client is too far behind.
inline constexpr std::string_view kOnGap = "onGap";
}  // namespace route

// What clients and the suite agree on beyond the protocol: the dictionary of routes and the protobuf schemas.
// Requests are JSON, as in the stock demo: with schemas for them, clients fail on numbers as names, and some
// write text that cannot be read (services/pomelo/README.md, trap 12).
// The stock JavaScript client stores one set of schemas for gate and connector alike
// (services/pomelo/README.md, trap 7), so both offer this one, and its version depends on its contents alone.
// Immutable, so thread-safe. Owned by the server's main object (Connector, Gate).
class ClientContract {
 public:
  // `use_dict`: routes have codes. `use_protobuf`: bodies of the pushes that have a schema are in Pomelo's
  // protobuf dialect.
  ClientContract(bool use_dict, bool use_protobuf, std::optional<std::chrono::seconds> heartbeat);

  // The routes' codes; null if they are not in use.
  const pomelo::Dictionary* dictionary() const { return use_dict_ ? &routes_ : nullptr; }
  // The routes that clients call.
  const pomelo::Dictionary& routes() const { return routes_; }
  // The route that a client names by text or code, a view into `route` or this; NOT_FOUND says what is wrong
  // with a code.
  absl::StatusOr<std::string_view> RouteOf(const pomelo::Route& route) const;

  const pomelo::Schema& server_protos() const { return *server_protos_; }
  // The schemas of requests that were offered once. Clients that have kept them may still use them.
  const pomelo::Schema& former_client_protos() const { return *former_client_protos_; }

  // The bodies that a client of this kind wants. Clients that know no schemas get JSON: this project's own
  // web client, and Pitaya's family, which would not understand the offer.
  WireFormat FormatOf(const pomelo::HandshakeRequest& request) const;
  // The handshake's answer to it.
  std::string Accept(const pomelo::HandshakeRequest& request, WireFormat format) const;

  // The body of a request by a client that was let in with this format: JSON, or protobuf of the former
  // schemas. No bytes are {}. INVALID_ARGUMENT says what is wrong with it.
  absl::StatusOr<boost::json::object> ReadBody(WireFormat format, std::string_view route,
                                               std::string_view body) const;

  // OK if a push can have this body in every format; INVALID_ARGUMENT says what the route's schema refuses.
  absl::Status CheckPush(std::string_view route, const boost::json::object& body) const;

  // Appends a push in a data package to `out`. A body that its schema refuses goes as nothing and is logged:
  // a mistake in this program.
  void AppendPush(WireFormat format, std::string_view route, const PushBody& body, std::string& out) const;

 private:
  const pomelo::Dictionary routes_;
  const bool use_dict_;
  std::optional<pomelo::Schema> server_protos_;
  std::optional<pomelo::Schema> former_client_protos_;
  bool use_protobuf_;
  std::optional<pomelo::ServerHandshake> handshake_;
  std::optional<pomelo::ServerHandshake> json_handshake_;
};

}  // namespace hubbub::client
