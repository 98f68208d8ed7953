#include "gateway/gate_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "services/limits.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::gateway {
namespace {

v1::Server Describe(const ServerInfo& info, v1::ServerKind kind, v1::ServerState state) {
  v1::Server server;
  server.set_id(info.id);
  server.set_kind(kind);
  server.set_state(state);
  server.set_grpc_address(info.grpc_address());
  if (kind != v1::SERVER_KIND_CHAT)
    server.set_client_address(fmt::format("{}:{}", info.client_host, info.client_port));
  return server;
}

}  // namespace

grpc::ServerUnaryReactor* GateService::QueryEntry(grpc::CallbackServerContext* context,
                                                  const v1::QueryEntryRequest* request,
                                                  v1::QueryEntryResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::Status status = CheckName("user", request->user());
  if (status.ok()) {
    auto connector = table_.Pick(request->user());
    status = connector.status();
    if (connector.ok()) {
      response->set_connector(connector->id);
      response->set_host(connector->client_host);
      response->set_port(connector->client_port);
    }
  }
  reactor->Finish(ToGrpc(status));
  return reactor;
}

grpc::ServerUnaryReactor* GateService::ListServers(grpc::CallbackServerContext* context,
                                                   const v1::ListServersRequest*,
                                                   v1::ListServersResponse* response) {
  const auto servers = servers_();
  std::vector<v1::Server> all;
  // A gate has no line to other gates: it knows of them from the directory alone.
  for (const ServerInfo& info : servers->gates) {
    all.push_back(Describe(info, v1::SERVER_KIND_GATE,
                           info.id == id_ ? v1::SERVER_STATE_READY : v1::SERVER_STATE_UNSPECIFIED));
  }
  for (const ServerInfo& info : servers->connectors) {
    const ConnectorState known = table_.Get(info.id);
    const auto state = !known.reachable ? v1::SERVER_STATE_UNREACHABLE
                       : known.draining ? v1::SERVER_STATE_DRAINING
                                        : v1::SERVER_STATE_READY;
    v1::Server server = Describe(info, v1::SERVER_KIND_CONNECTOR, state);
    if (known.reachable) {
      server.set_client_address(fmt::format("{}:{}", known.client_host, known.client_port));
      server.set_sessions(known.sessions);
      server.set_version(known.version);
    }
    all.push_back(std::move(server));
  }
  for (const ServerInfo& info : servers->chats) {
    all.push_back(
        Describe(info, v1::SERVER_KIND_CHAT,
                 watches_.ChatReachable(info.id) ? v1::SERVER_STATE_READY : v1::SERVER_STATE_UNREACHABLE));
  }
  std::sort(all.begin(), all.end(), [](const v1::Server& a, const v1::Server& b) {
    return std::pair(a.kind(), a.id()) < std::pair(b.kind(), b.id());
  });
  for (v1::Server& server : all) *response->add_servers() = std::move(server);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace hubbub::gateway
