#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/connector_watches.h"
#include "gateway/entry_desk.h"
#include "gateway/entry_table.h"
#include "gateway/gate_service.h"
#include "gateway/server_table.h"
#include "gateway/users_service.h"
#include "services/directory.h"
#include "services/net/listener.h"
#include "services/net/loop.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"
#include "services/session/session.h"

namespace hubbub::gateway {

struct GateOptions {
  ServerInfo self;
  std::string listen_host = "0.0.0.0";
  int loops = 0;  // 0: half as many as cores.
  int max_connections = 100'000;
  std::vector<std::string> subprotocols = {"pomelo"};  // Of WebSocket; see net::ListenerOptions.
  bool use_protobuf = true;
  bool servers_page = true;  // Whether whoever reaches the client port may see the servers, at /servers.
  bool reflection = true;
  rpc::ServerExtras extras = {};
};

// A whole gate in one object, for main and for tests: builds the parts in order, and ends them in reverse.
// Thread-safe.
class Gate {
 public:
  static absl::StatusOr<std::unique_ptr<Gate>> Start(const GateOptions& options,
                                                     std::shared_ptr<const ServerList> servers);
  ~Gate();

  uint16_t grpc_port() const { return server_->port(); }
  uint16_t client_port() const { return listener_->port(); }

  // Client connections now.
  int sessions() const { return listener_->connections(); }
  net::Traffic traffic() const { return listener_->traffic(); }
  RequestCounts requests() const;
  size_t reachable_connectors() const { return table_.Reachable(); }

  // True if every connector of the directory can be reached.
  bool Ready() ABSL_LOCKS_EXCLUDED(mu_) { return table_.Reachable() >= servers()->connectors.size(); }

  void Update(std::shared_ptr<const ServerList> servers) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit Gate(const GateOptions& options);

  net::HttpResponse AnswerHttp(std::string_view target) const;
  std::shared_ptr<const ServerList> servers() ABSL_LOCKS_EXCLUDED(mu_);

  const GateOptions options_;
  const ClientContract contract_;
  Mutex mu_;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);
  EntryTable table_;
  EntryDesk desk_{table_};
  ConnectorWatches watches_;
  net::Loops loops_;
  // What the sessions of one loop share.
  struct Lane {
    RequestCounters requests;
    SessionOptions session_options;
  };
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<uint64_t> sessions_made_{0};
  std::unique_ptr<net::Listener> listener_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<rpc::StatusService> status_;
  ServerTable server_table_;
  GateService service_;
  UsersService users_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace hubbub::gateway
