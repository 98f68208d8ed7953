#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gateway/entry_table.h"
#include "gateway/server_watches.h"
#include "hubbub/gate/v1/gate.grpc.pb.h"
#include "services/directory.h"

namespace hubbub::gateway {

namespace v1 = gate::v1;

// The gRPC rim of a gate. Thread-safe. Owned by main, outlives the gRPC server.
class GateService final : public v1::GateService::CallbackService {
 public:
  // `id` is this gate's.
  GateService(std::string id, const EntryTable& table, const ServerWatches& watches,
              std::function<std::shared_ptr<const ServerList>()> servers)
      : id_(std::move(id)), table_(table), watches_(watches), servers_(std::move(servers)) {}

  grpc::ServerUnaryReactor* QueryEntry(grpc::CallbackServerContext* context,
                                       const v1::QueryEntryRequest* request,
                                       v1::QueryEntryResponse* response) override;
  grpc::ServerUnaryReactor* ListServers(grpc::CallbackServerContext* context,
                                        const v1::ListServersRequest* request,
                                        v1::ListServersResponse* response) override;

 private:
  const std::string id_;
  const EntryTable& table_;
  const ServerWatches& watches_;
  const std::function<std::shared_ptr<const ServerList>()> servers_;
};

}  // namespace hubbub::gateway
