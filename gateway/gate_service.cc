#include "gateway/gate_service.h"

#include "services/base/limits.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::gate {

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
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

grpc::ServerUnaryReactor* GateService::ListServers(grpc::CallbackServerContext* context,
                                                   const v1::ListServersRequest*,
                                                   v1::ListServersResponse* response) {
  *response = servers_.List();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace hubbub::gate
