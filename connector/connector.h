#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "connector/chat_links.h"
#include "connector/chat_session.h"
#include "connector/connector_service.h"
#include "connector/encoder.h"
#include "connector/linked_chat_servers.h"
#include "connector/local_rooms.h"
#include "connector/partings.h"
#include "connector/peer_connectors.h"
#include "connector/restorer.h"
#include "services/directory.h"
#include "services/metrics/counter.h"
#include "services/net/listener.h"
#include "services/net/loop.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"
#include "services/session/session.h"

namespace hubbub::connector {

struct ConnectorOptions {
  ServerInfo self;
  uint16_t advertise_port = 0;  // What clients are told; 0: the port that it listens on.
  std::string listen_host = "0.0.0.0";
  int loops = 0;  // 0: half as many as cores.
  int max_connections = 100'000;
  std::vector<std::string> subprotocols = {"pomelo"};  // Of WebSocket; see net::ListenerOptions.
  size_t max_rooms = 100;
  // While a room's chat server can not be had, a request waits so long.
  std::chrono::milliseconds patience{5'000};
  bool use_dict = true;
  bool use_protobuf = true;
  std::optional<std::chrono::seconds> heartbeat = std::chrono::seconds(3);
  std::chrono::milliseconds sign_in_timeout{10'000};
  int max_requests_per_second = 2000;
  // Clients that are told to update (code 501): a type, or a type and version, as "unity-socket" or
  // "js-websocket/0.0.1".
  std::vector<std::string> old_clients = {};
  bool reflection = true;
  rpc::ServerExtras extras = {};
};

// A whole connector in one object, for main and for tests: builds the parts in order, and ends them in
// reverse. Thread-safe.
class Connector {
 public:
  // Listens for clients and for gRPC; the error says what could not be had.
  static absl::StatusOr<std::unique_ptr<Connector>> Start(const ConnectorOptions& options,
                                                          const std::shared_ptr<const ServerList>& servers);
  ~Connector();

  uint16_t grpc_port() const { return server_->port(); }
  uint16_t client_port() const { return listener_->port(); }
  int sessions() const { return listener_->connections(); }
  // What it has done, for metrics.
  struct Counts {
    uint64_t places = 0;           // Of sessions in rooms, now.
    uint64_t deliveries = 0;       // Events that clients were given.
    uint64_t events_received = 0;  // From chat servers.
    uint64_t new_streams = 0;      // To chat servers, with a new lease,
    uint64_t resumed_streams = 0;  // or with the one before.
    uint64_t servers_lost = 0;
  };
  Counts counts() const;
  net::Traffic traffic() const { return listener_->traffic(); }
  RequestCounts requests() const;

  // True if every chat server of the directory can be reached.
  bool Ready() const { return links_.AllLeased(); }

  // Update, Tick and Drain are for one thread.
  void Update(const std::shared_ptr<const ServerList>& servers) {
    peers_.Update(*servers);
    links_.Update(servers);
  }
  // What is due by time; several times a second.
  void Tick();
  // Refuses new clients, tells those who are here to go elsewhere, and ends the rest. Once; the destructor
  // does it too.
  void Drain(std::chrono::milliseconds timeout);

 private:
  // One event loop, with all that is its own.
  struct Lane {
    LocalRooms rooms;
    LinkedChatServers servers;
    Restorer restorer;
    Partings partings;
    Surroundings around;
    RequestCounters requests;
    SessionOptions session_options;

    Lane(net::Loop& loop, int loops, Connector& connector);
  };

  explicit Connector(const ConnectorOptions& options);
  SessionOptions SessionOptionsFor(RequestCounters& counters) const;
  // Calls `function(lane)` on the loop of each lane, after what was posted before.
  template <typename Function>
  void OnEveryLane(const Function& function);
  ChatLinks::Listener LinksListener();
  std::vector<LocalRooms*> Rooms() const;
  // What clients are told.
  uint16_t AdvertisedPort() const {
    return options_.advertise_port != 0 ? options_.advertise_port : listener_->port();
  }

  const ConnectorOptions options_;
  const ClientContract contract_;
  const std::string request_prefix_;  // Of this run.
  Encoder encoder_;
  net::Loops loops_;
  ChatLinks links_;
  PeerConnectors peers_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  // One addition for each batch or change of a stream.
  Counter events_received_;
  Counter new_streams_;
  Counter resumed_streams_;
  Counter servers_lost_;
  // Ids of sessions begin where those of another run do not: chat servers know places of the run before by
  // them.
  std::atomic<uint64_t> sessions_made_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<ConnectorService> service_;
  std::unique_ptr<rpc::StatusService> status_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace hubbub::connector
