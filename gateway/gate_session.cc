#include "gateway/gate_session.h"

#include <string>

#include "services/base/clock.h"
#include "services/base/limits.h"
#include "services/client/contract.h"
#include "services/client/fields.h"

namespace hubbub::gate {
namespace {

// Of every queryEntry that does not work: stock clients test for it, and know no other.
constexpr int kRefused = 500;

}  // namespace

void GateSession::OnRequest(std::string_view route, boost::json::object body, client::Reply reply) {
  if (route != client::route::kQueryEntry) {
    return reply.Fail(404, "this is a gate: it answers gate.gateHandler.queryEntry and nothing else");
  }
  const absl::StatusOr<std::string> uid = client::TextField(body, "uid");
  absl::Status status = uid.ok() ? CheckName("uid", *uid) : uid.status();
  // Who names connectors to strangers shows them all doors.
  if (status.ok()) status = Admit(body, *uid);
  if (!status.ok()) return reply.Fail(kRefused, std::string(status.message()));
  const auto connector = desk_.Ask(*uid, session_.id(), EntryDesk::Clock::now());
  if (!connector.ok())
    return reply.Fail(kRefused, std::string(connector.status().message()) + ": try again soon");
  asked_ = true;
  reply.Ok({{"code", 200}, {"host", connector->client_host}, {"port", connector->client_port}});
}

absl::Status GateSession::Admit(const boost::json::object& body, std::string_view user) {
  std::string token;
  if (const boost::json::value* shown = body.if_contains("token"); shown != nullptr && shown->is_string())
    token = std::string(shown->get_string());
  absl::Status status = session_.pass().Show(token, SystemNowMs());
  if (status.ok()) status = session_.pass().MayActAs(user);
  return status;
}

void GateSession::OnBadBody(std::string_view route, std::string_view why, client::Reply reply) {
  reply.Fail(route == client::route::kQueryEntry ? kRefused : 400, why);
}

}  // namespace hubbub::gate
