#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
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
#include "services/client/client_session.h"
#include "services/client/pitaya_protocol.h"
#include "services/client/pomelo_protocol.h"
#include "services/client/socketio_pushes.h"
#include "services/directory/directory.h"
#include "services/engine/engine.h"
#include "services/net/listener.h"
#include "services/net/loop.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"
#include "services/signin/token_checker.h"

namespace hubbub::gate {

struct GateOptions {
  directory::ServerInfo self;
  std::string listen_host = "0.0.0.0";
  net::ListenerOptions clients = {};                   // Its host and port are those above.
  int loops = 0;                                       // 0: half as many as cores.
  std::vector<std::string> subprotocols = {"pomelo"};  // Of WebSocket; see net::WebSocketRoute.
  bool use_protobuf = true;
  // Where the servers page is served instead of on the client port; nothing: nowhere else.
  std::optional<net::ListenerOptions> operators = {};
  bool servers_page = true;                       // Serves the servers page, /servers, on the client port.
  const signin::TokenChecker* sign_in = nullptr;  // Outlives the gate; null: it is open to everybody.
  bool reflection = true;
  rpc::ServerExtras extras = {};
};

// A whole gate in one object, for main and for tests: builds the parts in order, and ends them in reverse.
// Thread-safe.
class Gate {
 public:
  static absl::StatusOr<std::unique_ptr<Gate>> Start(const GateOptions& options,
                                                     std::shared_ptr<const directory::ServerList> servers);
  ~Gate();

  uint16_t grpc_port() const { return server_->port(); }
  uint16_t client_port() const { return listener_->port(); }
  // REQUIRES: GateOptions::operators.
  uint16_t operator_port() const { return operator_listener_->port(); }

  // Client connections now.
  int sessions() const { return listener_->connections(); }
  net::Traffic traffic() const { return listener_->traffic(); }
  client::ClientCounts client_counts() const;
  size_t reachable_connectors() const { return table_.Reachable(); }

  // True if every connector of the directory can be reached.
  bool Ready() ABSL_LOCKS_EXCLUDED(mu_) { return table_.Reachable() >= servers()->connectors.size(); }

  void Update(std::shared_ptr<const directory::ServerList> servers) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit Gate(const GateOptions& options);

  std::unique_ptr<client::ClientSession> NewSession(net::Loop& loop, net::Connection& connection,
                                                    std::unique_ptr<client::ClientProtocol> protocol);
  net::HttpRouter Routes(const net::ProtocolFactory& protocol) const;
  net::HttpRouter OperatorRoutes() const;
  net::HttpResponse AnswerHttp(std::string_view target) const;
  std::shared_ptr<const directory::ServerList> servers() ABSL_LOCKS_EXCLUDED(mu_);

  const GateOptions options_;
  const client::ClientContract contract_;
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  const client::PitayaTerms pitaya_;
  const client::PomeloOptions pomelo_{.contract = &contract_, .pushes = &pushes_, .pitaya = &pitaya_};
  const client::SocketIoPushes socketio_{encodings_};
  Mutex mu_;
  std::shared_ptr<const directory::ServerList> servers_ ABSL_GUARDED_BY(mu_);
  EntryTable table_;
  EntryDesk desk_{table_};
  ConnectorWatches watches_;
  net::Loops loops_;
  // What the sessions of one loop share.
  struct Lane {
    client::ClientCounters client_counters;
    client::SessionOptions session_options;
  };
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<uint64_t> sessions_made_{0};
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::Listener> operator_listener_;  // Null: there is none.
  std::atomic<bool> draining_{false};
  std::unique_ptr<rpc::StatusService> status_;
  ServerTable server_table_;
  GateService service_;
  UsersService users_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace hubbub::gate
