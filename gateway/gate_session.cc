#include "gateway/gate_session.h"

#include <string>

#include "services/limits.h"
#include "services/session/fields.h"

namespace hubbub::gateway {
namespace {

// Of every queryEntry that does not work: stock clients test for it, and know no other.
constexpr int kRefused = 500;

}  // namespace

void GateSession::OnRequest(std::string_view route, boost::json::object body, Reply reply) {
  if (route != route::kQueryEntry) {
    return reply.Fail(404, "this is a gate: it answers gate.gateHandler.queryEntry and nothing else");
  }
  const absl::StatusOr<std::string> uid = TextField(body, "uid");
  const absl::Status status = uid.ok() ? CheckName("uid", *uid) : uid.status();
  if (!status.ok()) return reply.Fail(kRefused, std::string(status.message()));
  const auto connector = desk_.Ask(*uid, connection_, EntryDesk::Clock::now());
  if (!connector.ok())
    return reply.Fail(kRefused, std::string(connector.status().message()) + ": try again soon");
  asked_ = true;
  reply.Ok({{"code", 200}, {"host", connector->client_host}, {"port", connector->client_port}});
}

void GateSession::OnBadBody(std::string_view route, std::string_view why, Reply reply) {
  reply.Fail(route == route::kQueryEntry ? kRefused : 400, why);
}

}  // namespace hubbub::gateway
