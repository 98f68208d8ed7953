#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "services/net/frame.h"
#include "services/session/contract.h"

namespace hubbub {

// How the bytes of a session look on its socket: what is sent to many is made once for each kind that is in
// use.
struct WireKind {
  WireFormat format = WireFormat::kJson;
  // Each package is in a WebSocket frame of its own, as Pomelo's server sends them: clients in the field read
  // only the first package of a frame. False on TCP.
  bool framed = false;

  constexpr size_t index() const { return 2 * static_cast<size_t>(format) + (framed ? 1 : 0); }
};
inline constexpr size_t kWireKinds = 2 * kWireFormats;

// Appends a push as clients of this kind get it; nothing if the route's schema refuses the body (AppendPush).
inline void AppendPushAs(WireKind kind, const ClientContract& contract, std::string_view route,
                         const boost::json::object& body, std::string& out) {
  net::AppendFrame(kind.framed, out,
                   [&](std::string& to) { contract.AppendPush(kind.format, route, body, to); });
}

}  // namespace hubbub
