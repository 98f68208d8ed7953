#include "gateway/gate_session.h"

#include <string>

#include "services/limits.h"

namespace hubbub::gateway {
namespace {

// Stock clients give text; some applications use numbers as uid.
std::string UidOf(const boost::json::object& body) {
  const boost::json::value* uid = body.if_contains("uid");
  if (uid == nullptr || uid->is_null()) return "";
  return uid->is_string() ? std::string(uid->get_string()) : boost::json::serialize(*uid);
}

}  // namespace

void GateSession::OnRequest(std::string_view route, boost::json::object body, Reply reply) {
  if (route != route::kQueryEntry) {
    return reply.Fail(404, "this is a gate: it answers gate.gateHandler.queryEntry and nothing else");
  }
  // The stock demo's page knows 500 alone.
  const std::string uid = UidOf(body);
  if (absl::Status status = CheckName("uid", uid); !status.ok())
    return reply.Fail(500, std::string(status.message()));
  const auto connector = desk_.Ask(uid, connection_, EntryDesk::Clock::now());
  if (!connector.ok()) return reply.Fail(500, std::string(connector.status().message()) + ": try again soon");
  asked_ = true;
  reply.Ok({{"code", 200}, {"host", connector->client_host}, {"port", connector->client_port}});
}

}  // namespace hubbub::gateway
