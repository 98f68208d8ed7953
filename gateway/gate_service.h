#pragma once

#include "gateway/entry_table.h"
#include "gateway/server_table.h"
#include "hubbub/gate/v1/gate.grpc.pb.h"

namespace hubbub::gate {

// The gRPC rim of a gate. Thread-safe. Owned by main, outlives the gRPC server.
class GateService final : public v1::GateService::CallbackService {
 public:
  GateService(EntryTable& table, const ServerTable& servers) : table_(table), servers_(servers) {}

  grpc::ServerUnaryReactor* QueryEntry(grpc::CallbackServerContext* context,
                                       const v1::QueryEntryRequest* request,
                                       v1::QueryEntryResponse* response) override;
  grpc::ServerUnaryReactor* ListServers(grpc::CallbackServerContext* context,
                                        const v1::ListServersRequest* request,
                                        v1::ListServersResponse* response) override;

 private:
  EntryTable& table_;
  const ServerTable& servers_;
};

}  // namespace hubbub::gate
