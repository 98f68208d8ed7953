#include "connector/connector.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "services/base/entropy.h"
#include "services/base/host_port.h"
#include "services/base/limits.h"
#include "services/client/socketio_protocol.h"

namespace hubbub::connector {
namespace {

net::HttpResponse TellWhatThisIs(const net::HttpRequest&) {
  return net::UpgradeRequired(
      "This is a connector of Hubbub: it speaks the Pomelo protocol over WebSocket and TCP, and Socket.IO at "
      "/socket.io/. The chat page is "
      "at the gate.");
}

}  // namespace

Connector::LoopParts::LoopParts(net::Loop& loop, int loops, Connector& connector)
    : sessions(loop),
      rooms(loop),
      servers(connector.links_, loop, &rooms),
      restorer({.part = static_cast<uint32_t>(loop.index()), .parts = static_cast<uint32_t>(loops)}, rooms,
               connector.encoder_, servers),
      partings(rooms, servers),
      environment{.sessions = sessions,
                  .rooms = rooms,
                  .servers = servers,
                  .restorer = restorer,
                  .partings = partings,
                  .encoder = connector.encoder_,
                  .max_rooms = connector.options_.max_rooms,
                  .max_enters_per_second = connector.options_.max_enters_per_second,
                  .scripts = connector.scripts_ ? &*connector.scripts_ : nullptr,
                  .patience = connector.options_.patience,
                  .draining = connector.draining_,
                  .name_wait = connector.options_.heartbeat.value_or(std::chrono::seconds(3))},
      session_options(connector.SessionOptionsFor(client_counters)) {}

Connector::Connector(const ConnectorOptions& options)
    : options_(options),
      contract_(options.use_dict, options.use_protobuf, options.heartbeat),
      pitaya_(contract_, encodings_, options.heartbeat, kMaxRequestBytes),
      pomelo_{.contract = &contract_,
              .pushes = &pushes_,
              .heartbeat = options.heartbeat,
              .max_package_bytes = kMaxRequestBytes,
              .pitaya = &pitaya_},
      scripts_(options.one_script ? std::optional<ScriptCheck>(std::in_place) : std::nullopt),
      request_prefix_(fmt::format("{:06x}", Entropy()() & 0xffffff)),
      encoder_(encodings_),
      loops_(options.loops),
      // The random number names this run of the connector.
      links_(loops_,
             {.connector_id = options.self.id,
              .connector_run = Entropy()() | 1,
              .credentials = options.extras.credentials,
              .grpc_library = options.grpc_library},
             LinksListener()),
      peers_(options.self.id, options.extras.credentials),
      sessions_made_((Entropy()() & 0xffff'ffff) << 20) {
  for (int i = 0; i < loops_.size(); ++i)
    loop_parts_.push_back(std::make_unique<LoopParts>(loops_.at(i), loops_.size(), *this));
}

client::SessionOptions Connector::SessionOptionsFor(client::ClientCounters& counters) const {
  client::SessionOptions options;
  options.sign_in_timeout = options_.sign_in_timeout;
  options.max_requests_per_second = options_.max_requests_per_second;
  options.max_bytes_per_second = options_.max_bytes_per_second;
  options.counters = &counters;
  options.sign_in = options_.sign_in;
  options.request_prefix = request_prefix_;
  if (!options_.old_clients.empty()) {
    options.check_client = [this](std::string_view type, std::string_view version) {
      const auto& old = options_.old_clients;
      const std::string with_version = std::string(type).append("/").append(version);
      return std::find(old.begin(), old.end(), type) == old.end() &&
             std::find(old.begin(), old.end(), with_version) == old.end();
    };
  }
  return options;
}

template <typename Function>
void Connector::OnEveryLoop(const Function& function) {
  for (const auto& parts : loop_parts_)
    parts->rooms.loop().Post([&parts = *parts, function] { function(parts); });
}

ChatLink::Listener Connector::LinksListener() {
  return {.on_events =
              [this](const std::string& server, ChatLink::Events& events) {
                events_received_.Add(static_cast<uint64_t>(events.size()));
                const auto batch =
                    std::make_shared<const Deliveries>(encoder_.Encode(std::move(events), server));
                // One post for each loop and batch, whatever the number of sessions.
                OnEveryLoop([batch](LoopParts& parts) { parts.rooms.Deliver(batch); });
              },
          .on_up =
              [this](const std::string& server, uint64_t incarnation, bool fresh) {
                (fresh ? new_streams_ : resumed_streams_).Add();
                OnEveryLoop([server, incarnation, fresh](LoopParts& parts) {
                  parts.restorer.OnUp(server, incarnation, fresh);
                });
              },
          .on_lost =
              [this](const std::string& server) {
                servers_lost_.Add();
                OnEveryLoop([server](LoopParts& parts) { parts.restorer.OnLost(server); });
              }};
}

std::vector<client::SessionRegistry*> Connector::Registries() const {
  std::vector<client::SessionRegistry*> registries;
  registries.reserve(loop_parts_.size());
  for (const auto& parts : loop_parts_) registries.push_back(&parts->sessions);
  return registries;
}

Connector::Counts Connector::counts() const {
  Counts counts{.events_received = events_received_.value(),
                .new_streams = new_streams_.value(),
                .resumed_streams = resumed_streams_.value(),
                .servers_lost = servers_lost_.value()};
  for (const auto& parts : loop_parts_) {
    counts.places += parts->rooms.places();
    counts.deliveries += parts->rooms.deliveries();
    counts.skipped += parts->rooms.skipped();
  }
  return counts;
}

client::ClientCounts Connector::client_counts() const {
  client::ClientCounts sum;
  for (const auto& parts : loop_parts_) parts->client_counters.AddTo(sum);
  return sum;
}

std::unique_ptr<client::ClientSession> Connector::NewSession(
    net::Loop& loop, net::Connection& connection, std::unique_ptr<client::ClientProtocol> protocol) {
  LoopParts& parts = *loop_parts_[static_cast<size_t>(loop.index())];
  return std::make_unique<client::ClientSession>(
      ++sessions_made_, loop, connection, std::move(protocol), parts.session_options,
      [&parts](client::ClientSession& session) {
        return std::make_unique<ChatSession>(session, parts.environment);
      });
}

absl::StatusOr<std::unique_ptr<Connector>> Connector::Start(
    const ConnectorOptions& options, const std::shared_ptr<const directory::ServerList>& servers) {
  auto connector = std::unique_ptr<Connector>(new Connector(options));
  Connector& self = *connector;

  const net::ProtocolFactory protocol = {
      .make =
          [&self](net::Loop& loop, net::Connection& connection) {
            return self.NewSession(
                loop, connection,
                std::make_unique<client::PomeloProtocol>(self.pomelo_, connection.framed()));
          },
      .refuse = client::PomeloProtocol::Refusal};
  net::HttpRouter router;
  router.Add("/", {.handler = TellWhatThisIs});
  router.AddWebSocket("/", {.protocol = protocol,
                            .subprotocols = options.subprotocols,
                            .check_bearer = client::BearerCheck(options.sign_in)});
  const auto waiting = net::BoundWaiting(self.loops_.size(), options.clients.max_waiting_bytes);
  self.engine_ = std::make_unique<engine::Engine>(
      self.loops_,
      engine::EngineOptions{.server_id = options.self.id,
                            .max_sessions = options.clients.max_connections,
                            .max_per_machine = options.clients.max_per_machine,
                            .waiting = waiting,
                            .check_bearer = client::BearerCheck(options.sign_in),
                            .limits = {.max_payload_bytes = kMaxRequestBytes}},
      [&self](net::Loop& loop, net::Connection& connection, socketio::EngineVersion version) {
        return self.NewSession(
            loop, connection,
            std::make_unique<client::SocketIoProtocol>(
                self.socketio_, client::SocketIoProtocol::VersionOn(version), kMaxRequestBytes,
                /*recovers=*/true));
      });
  self.engine_->AddRoutes(router);
  net::ListenerOptions clients = options.clients;
  clients.host = options.listen_host;
  clients.port = options.self.client_port;
  clients.waiting = waiting;
  auto listener = net::Listener::Start(self.loops_, std::move(clients), protocol, std::move(router));
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);

  self.service_ = std::make_unique<ConnectorService>(
      [&self] {
        v1::WatchStatusResponse status;
        status.set_id(self.options_.self.id);
        status.set_client_host(self.options_.self.client_host);
        status.set_client_port(self.AdvertisedPort());
        status.set_sessions(static_cast<uint32_t>(self.listener_->connections()));
        status.set_capacity(static_cast<uint32_t>(self.options_.clients.max_connections));
        status.set_draining(self.draining_);
        status.set_version(HUBBUB_VERSION);
        return status;
      },
      self.contract_, self.Registries(), [&self] { return self.peers_.All(); });
  // Gates are to hear at once that they must send no more clients here, or may again. Until this line no gate
  // could watch.
  self.listener_->OnFullChange([&self] { self.service_->Tick(); });
  self.status_ =
      std::make_unique<rpc::StatusService>(options.self.id, [&self](rpc::StatusService::Status& status) {
        status.set_draining(self.draining_);
        status.set_client_address(HostPort(self.options_.self.client_host, self.AdvertisedPort()));
        status.set_sessions(static_cast<uint32_t>(self.listener_->connections()));
      });
  auto server = rpc::Server::Start({.host = options.listen_host,
                                    .port = options.self.port,
                                    .reflection = options.reflection,
                                    .services = {self.service_.get(), self.status_.get()},
                                    .extras = options.extras});
  if (!server.ok()) return server.status();
  self.server_ = *std::move(server);
  self.Update(servers);
  return connector;
}

void Connector::Tick() {
  service_->Tick();
  links_.Sweep();
}

void Connector::Drain(std::chrono::milliseconds timeout) {
  if (draining_.exchange(true)) return;
  if (server_ != nullptr) server_->SetServing(false);
  if (service_ != nullptr) service_->Tick();
  if (listener_ == nullptr) return;
  if (service_ != nullptr && service_->watched())
    std::this_thread::sleep_for(std::min(options_.late_arrivals, timeout));
  listener_->Drain("reconnect");
  engine_->Drain("reconnect");
  listener_->CloseAll("reconnect", timeout);
  engine_->WaitForEnd(timeout);
}

Connector::~Connector() {
  Drain(std::chrono::milliseconds(2'000));
  if (status_ != nullptr) status_->Shutdown();
  listener_.reset();
  engine_.reset();
  if (service_ != nullptr) service_->Shutdown();
  if (server_ != nullptr) server_->Shutdown(1'000);
  links_.Stop();
  // Events that were posted before still point to the rooms.
  loops_.Stop();
}

}  // namespace hubbub::connector
