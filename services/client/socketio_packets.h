#pragma once

#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "services/net/frame.h"
#include "services/socketio/engine_packet.h"
#include "services/socketio/packet.h"

namespace hubbub::client {

// Packets that clients of Socket.IO are sent, each in a frame of text of its own. Pure functions,
// thread-safe.

// Its head, and what `append(out)` appends as its data.
template <typename Append>
void AppendPacket(socketio::PacketType type, std::string_view nsp, std::string_view id, std::string& out,
                  Append append) {
  net::AppendFrame(net::Framing::kText, out, [&](std::string& to) {
    to += socketio::DigitOf(socketio::EngineType::kMessage);
    AppendHead(type, nsp, id, to);
    append(to);
  });
}
void AppendPacket(socketio::PacketType type, std::string_view nsp, std::string& out);

// What Pomelo's client gets: an event with the text of an object.
void AppendPomeloText(const boost::json::object& object, std::string& out);

// The answer to a client that may not connect. `data`: the protocol has it, 5 and not 4. Code 404 stands for
// a namespace that is not there, of which the documents give the message.
void AppendConnectError(bool data, std::string_view nsp, std::string_view message, int code,
                        std::string& out);

// An error as clients get it.
boost::json::object ErrorBody(int code, std::string_view message);

}  // namespace hubbub::client
