#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "connector/chat_servers/chat_links.h"
#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/partings.h"
#include "connector/chat_servers/restorer.h"
#include "connector/connector_service.h"
#include "connector/delivery/encoder.h"
#include "connector/delivery/local_rooms.h"
#include "connector/peer_connectors.h"
#include "connector/sessions/chat_session.h"
#include "services/base/script_check.h"
#include "services/client/client_session.h"
#include "services/client/contract.h"
#include "services/client/pitaya_protocol.h"
#include "services/client/pomelo_protocol.h"
#include "services/client/session_registry.h"
#include "services/client/socketio_pushes.h"
#include "services/directory/directory.h"
#include "services/engine/engine.h"
#include "services/metrics/counter.h"
#include "services/net/listener.h"
#include "services/net/loop.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"
#include "services/signin/token_checker.h"

namespace hubbub::connector {

struct ConnectorOptions {
  directory::ServerInfo self;
  uint16_t advertise_port = 0;  // What clients are told; 0: the port that it listens on.
  std::string listen_host = "0.0.0.0";
  net::ListenerOptions clients = {};                   // Its host and port are those above.
  int loops = 0;                                       // 0: half as many as cores.
  std::vector<std::string> subprotocols = {"pomelo"};  // Of WebSocket; see net::WebSocketRoute.
  size_t max_rooms = 100;
  // How long a request waits while the room's chat server cannot be reached.
  std::chrono::milliseconds patience{10'000};
  bool use_dict = true;
  bool use_protobuf = true;
  std::optional<std::chrono::seconds> heartbeat = std::chrono::seconds(3);
  std::chrono::milliseconds sign_in_timeout{10'000};
  // Clients whom a gate has sent here before it heard of a drain are on their way for so long.
  std::chrono::milliseconds late_arrivals{1'000};
  int max_requests_per_second = 2000;  // Of one session, as are the next two.
  int max_bytes_per_second = 1 << 20;
  int max_enters_per_second = 50;
  bool one_script = false;  // Names may not mix scripts (ScriptCheck).
  // Clients that are told to update (code 501): a type, or a type and version, as "unity-socket" or
  // "js-websocket/0.0.1".
  std::vector<std::string> old_clients = {};
  const signin::TokenChecker* sign_in = nullptr;  // Outlives the connector; null: it is open to everybody.
  bool reflection = true;
  bool grpc_library = false;  // ChatLinkOptions.
  rpc::ServerExtras extras = {};
};

// A whole connector in one object, for main and for tests: builds the parts in order, and ends them in
// reverse. Thread-safe.
class Connector {
 public:
  // Listens for clients and for gRPC; the error says what failed.
  static absl::StatusOr<std::unique_ptr<Connector>> Start(
      const ConnectorOptions& options, const std::shared_ptr<const directory::ServerList>& servers);
  ~Connector();

  uint16_t grpc_port() const { return server_->port(); }
  uint16_t client_port() const { return listener_->port(); }
  int sessions() const { return listener_->connections(); }
  // What it has done, for metrics.
  struct Counts {
    uint64_t places = 0;           // Of sessions in rooms, now.
    uint64_t deliveries = 0;       // Events that clients were given.
    uint64_t skipped = 0;          // Messages that were left out, because clients were too far behind.
    uint64_t events_received = 0;  // From chat servers.
    uint64_t new_streams = 0;      // To chat servers, with a new lease,
    uint64_t resumed_streams = 0;  // or with the one before.
    uint64_t servers_lost = 0;
  };
  Counts counts() const;
  net::Traffic traffic() const {
    net::Traffic sum = listener_->traffic();
    engine_->AddTraffic(sum);
    return sum;
  }
  client::ClientCounts client_counts() const;

  // True if every chat server of the directory can be reached.
  bool Ready() const { return links_.AllLeased(); }

  // Update, Tick and Drain are for one thread.
  void Update(const std::shared_ptr<const directory::ServerList>& servers) {
    peers_.Update(*servers);
    links_.Update(servers);
  }
  // What is due by time; several times a second.
  void Tick();
  // Tells gates that it drains, and takes those who are on their way, if any gate watches; then refuses new
  // clients, tells those who are here to go elsewhere, and ends the rest. Once; the destructor does it too.
  void Drain(std::chrono::milliseconds timeout);

 private:
  // One event loop, with all that is its own.
  struct LoopParts {
    client::SessionRegistry sessions;
    LocalRooms rooms;
    ChatServers servers;
    Restorer restorer;
    Partings partings;
    SessionEnvironment environment;
    client::ClientCounters client_counters;
    client::SessionOptions session_options;

    LoopParts(net::Loop& loop, int loops, Connector& connector);
  };

  explicit Connector(const ConnectorOptions& options);
  std::unique_ptr<client::ClientSession> NewSession(net::Loop& loop, net::Connection& connection,
                                                    std::unique_ptr<client::ClientProtocol> protocol);
  client::SessionOptions SessionOptionsFor(client::ClientCounters& counters) const;
  // Calls `function(parts)` on each loop, with the parts of that loop, after what was posted before.
  template <typename Function>
  void OnEveryLoop(const Function& function);
  ChatLink::Listener LinksListener();
  std::vector<client::SessionRegistry*> Registries() const;
  // What clients are told.
  uint16_t AdvertisedPort() const {
    return options_.advertise_port != 0 ? options_.advertise_port : listener_->port();
  }

  const ConnectorOptions options_;
  const client::ClientContract contract_;
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  const client::PitayaTerms pitaya_;
  const client::PomeloOptions pomelo_;
  const client::SocketIoPushes socketio_{encodings_};
  const std::optional<ScriptCheck> scripts_;
  const std::string request_prefix_;  // Of this run.
  Encoder encoder_;
  net::Loops loops_;
  ChatLinks links_;
  PeerConnectors peers_;
  std::vector<std::unique_ptr<LoopParts>> loop_parts_;
  // One addition for each batch or change of a stream.
  metrics::Counter events_received_;
  metrics::Counter new_streams_;
  metrics::Counter resumed_streams_;
  metrics::Counter servers_lost_;
  // Counts on from a random number, because chat servers know the places of an earlier run by its session
  // ids.
  std::atomic<uint64_t> sessions_made_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<ConnectorService> service_;
  std::unique_ptr<rpc::StatusService> status_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace hubbub::connector
