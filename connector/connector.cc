#include "connector/connector.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/entropy.h"
#include "services/limits.h"

namespace hubbub::connector {
namespace {

net::HttpResponse AnswerHttp(std::string_view) {
  return net::UpgradeRequired(
      "This is a connector of Hubbub: it speaks the Pomelo protocol over WebSocket and TCP. The chat page is "
      "at "
      "the gate.");
}

}  // namespace

Connector::Lane::Lane(net::Loop& loop, int loops, Connector& connector)
    : rooms(loop),
      servers(connector.links_, loop),
      restorer({.part = static_cast<uint32_t>(loop.index()), .parts = static_cast<uint32_t>(loops)}, rooms,
               connector.encoder_, servers),
      partings(rooms, restorer, connector.links_),
      around{.rooms = rooms,
             .restorer = restorer,
             .partings = partings,
             .links = connector.links_,
             .send_lines = servers,
             .encoder = connector.encoder_,
             .max_rooms = connector.options_.max_rooms,
             .patience = connector.options_.patience,
             .draining = connector.draining_,
             .name_wait = connector.options_.heartbeat.value_or(std::chrono::seconds(3))},
      session_options(connector.SessionOptionsFor(requests)) {}

Connector::Connector(const ConnectorOptions& options)
    : options_(options),
      contract_(options.use_dict, options.use_protobuf, options.heartbeat),
      request_prefix_(fmt::format("{:06x}", Entropy()() & 0xffffff)),
      encoder_(contract_),
      loops_(options.loops),
      links_(options.self.id, LinksListener()),
      peers_(options.self.id),
      sessions_made_((Entropy()() & 0xffff'ffff) << 20) {
  for (int i = 0; i < loops_.size(); ++i)
    lanes_.push_back(std::make_unique<Lane>(loops_.at(i), loops_.size(), *this));
}

SessionOptions Connector::SessionOptionsFor(RequestCounters& counters) const {
  SessionOptions options;
  options.contract = &contract_;
  options.heartbeat = options_.heartbeat;
  options.sign_in_timeout = options_.sign_in_timeout;
  options.max_package_bytes = kMaxRequestBytes;
  options.max_requests_per_second = options_.max_requests_per_second;
  options.counters = &counters;
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
void Connector::OnEveryLane(const Function& function) {
  for (const auto& lane : lanes_) lane->rooms.loop().Post([&lane = *lane, function] { function(lane); });
}

ChatLinks::Listener Connector::LinksListener() {
  return {.on_events =
              [this](const std::string& server, ChatLink::Events& events) {
                events_received_.Add(static_cast<uint64_t>(events.size()));
                const auto batch =
                    std::make_shared<const Deliveries>(encoder_.Encode(std::move(events), server));
                // One post for each loop and batch, whatever the number of sessions.
                OnEveryLane([batch](Lane& lane) { lane.rooms.Deliver(batch); });
              },
          .on_up =
              [this](const std::string& server, uint64_t incarnation, bool fresh) {
                (fresh ? new_streams_ : resumed_streams_).Add();
                OnEveryLane([server, incarnation, fresh](Lane& lane) {
                  lane.restorer.OnUp(server, incarnation, fresh);
                });
              },
          .on_lost =
              [this](const std::string& server) {
                servers_lost_.Add();
                OnEveryLane([server](Lane& lane) { lane.restorer.OnLost(server); });
              }};
}

std::vector<LocalRooms*> Connector::Rooms() const {
  std::vector<LocalRooms*> rooms;
  rooms.reserve(lanes_.size());
  for (const auto& lane : lanes_) rooms.push_back(&lane->rooms);
  return rooms;
}

Connector::Counts Connector::counts() const {
  Counts counts{.events_received = events_received_.value(),
                .new_streams = new_streams_.value(),
                .resumed_streams = resumed_streams_.value(),
                .servers_lost = servers_lost_.value()};
  for (const auto& lane : lanes_) {
    counts.places += lane->rooms.places();
    counts.deliveries += lane->rooms.deliveries();
  }
  return counts;
}

RequestCounts Connector::requests() const {
  RequestCounts sum = {};
  for (const auto& lane : lanes_) lane->requests.AddTo(sum);
  return sum;
}

absl::StatusOr<std::unique_ptr<Connector>> Connector::Start(
    const ConnectorOptions& options, const std::shared_ptr<const ServerList>& servers) {
  auto connector = std::unique_ptr<Connector>(new Connector(options));
  Connector& self = *connector;

  auto listener = net::Listener::Start(
      self.loops_,
      {.host = options.listen_host,
       .port = options.self.client_port,
       .max_connections = options.max_connections,
       .subprotocols = options.subprotocols},
      [&self](net::Loop& loop, net::Connection& connection) -> std::unique_ptr<net::Protocol> {
        Lane& lane = *self.lanes_[static_cast<size_t>(loop.index())];
        return std::make_unique<Session>(
            ++self.sessions_made_, loop, connection, lane.session_options,
            [&lane](Session& session) { return std::make_unique<ChatSession>(session, lane.around); });
      },
      AnswerHttp);
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);

  self.service_ = std::make_unique<ConnectorService>(
      [&self] {
        v1::WatchStatusResponse status;
        status.set_id(self.options_.self.id);
        status.set_client_host(self.options_.self.client_host);
        status.set_client_port(self.AdvertisedPort());
        status.set_sessions(static_cast<uint32_t>(self.listener_->connections()));
        status.set_capacity(static_cast<uint32_t>(self.options_.max_connections));
        status.set_draining(self.draining_);
        status.set_version(HUBBUB_VERSION);
        return status;
      },
      self.contract_, self.Rooms(), [&self] { return self.peers_.All(); });
  // Gates are to send nobody here from that moment on. Until now Tick has had nobody to tell.
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
  listener_->Drain("reconnect");
  listener_->CloseAll("reconnect", timeout);
}

Connector::~Connector() {
  Drain(std::chrono::milliseconds(2'000));
  if (status_ != nullptr) status_->Shutdown();
  listener_.reset();
  if (service_ != nullptr) service_->Shutdown();
  if (server_ != nullptr) server_->Shutdown(1'000);
  links_.Stop();
  // Events that were posted before still point to the rooms.
  loops_.Stop();
}

}  // namespace hubbub::connector
