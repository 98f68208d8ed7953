#include "connector/sessions/room_calls.h"

#include <utility>

#include "connector/chat_servers/client_errors.h"
#include "connector/sessions/answers.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

boost::asio::awaitable<void> GiveUpPlace(ChatServers& servers, std::shared_ptr<const Membership> membership,
                                         client::Reply reply, std::string request_id) {
  co_await servers.Kick(membership->at().server, KickRequestFor(*membership), std::move(request_id));
  reply.Ok({{"code", 200}});
}

boost::asio::awaitable<void> ShowHistory(ChatServers& servers, std::string server,
                                         chat::v1::ListEventsRequest request, client::Reply reply,
                                         std::string request_id) {
  const auto [status, response] =
      co_await servers.ListEvents(std::move(server), std::move(request), std::move(request_id));
  client::ClientSession* const session = reply.session();
  if (session == nullptr) co_return;
  if (status.ok()) co_return reply.Ok(HistoryPage(response, session->small_answers()));
  if (absl::IsFailedPrecondition(status)) co_return reply.Fail(404, "no history is kept here");
  FailWith(std::move(reply), FaultOfCall(status));
}

}  // namespace hubbub::connector
