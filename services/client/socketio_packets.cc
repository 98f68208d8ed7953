#include "services/client/socketio_packets.h"

#include "services/base/json_text.h"
#include "services/client/socketio_pushes.h"
#include "services/pomelo/body.h"
#include "services/socketio/pomelo_text.h"

namespace hubbub::client {

using socketio::PacketType;

void AppendPacket(PacketType type, std::string_view nsp, std::string& out) {
  AppendPacket(type, nsp, "", out, [](std::string&) {});
}

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

void AppendConnectError(bool data, std::string_view nsp, std::string_view message, int code,
                        std::string& out) {
  AppendPacket(PacketType::kConnectError, nsp, "", out, [&](std::string& to) {
    if (!data) return AppendJsonString(message, to);
    boost::json::object error{{"message", boost::json::string(message.data(), message.size())}};
    if (code != 404) error["data"] = ErrorBody(code, message);
    to += pomelo::JsonBody(error);
  });
}

}  // namespace hubbub::client
