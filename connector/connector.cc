#include "connector/connector.h"

#include <algorithm>
#include <utility>

#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

std::vector<std::unique_ptr<LocalRooms>> MakeRooms(net::Loops& loops) {
  std::vector<std::unique_ptr<LocalRooms>> rooms;
  rooms.reserve(static_cast<size_t>(loops.size()));
  for (int i = 0; i < loops.size(); ++i) rooms.push_back(std::make_unique<LocalRooms>(loops.at(i)));
  return rooms;
}

std::vector<LocalRooms*> Pointers(const std::vector<std::unique_ptr<LocalRooms>>& rooms) {
  std::vector<LocalRooms*> pointers;
  pointers.reserve(rooms.size());
  for (const auto& one : rooms) pointers.push_back(one.get());
  return pointers;
}

net::HttpResponse AnswerHttp(std::string_view) {
  return {.status = 426,
          .body =
              "This is a connector of Hubbub: it speaks the Pomelo protocol over WebSocket and TCP. The chat "
              "page is at the gate.\n",
          .headers = {{"Upgrade", "websocket"}}};
}

}  // namespace

Connector::Connector(const ConnectorOptions& options)
    : options_(options),
      contract_(options.use_dict, options.use_protobuf, options.heartbeat),
      encoder_(contract_),
      loops_(options.loops),
      rooms_(MakeRooms(loops_)),
      links_(options.self.id, encoder_, Pointers(rooms_)),
      peers_(options.self.id) {
  for (const auto& rooms : rooms_) surroundings_.push_back({*rooms, links_, encoder_, options.max_rooms});
  session_options_.contract = &contract_;
  session_options_.heartbeat = options.heartbeat;
  session_options_.sign_in_timeout = options.sign_in_timeout;
  session_options_.max_requests_per_second = options.max_requests_per_second;
  if (!options.old_clients.empty()) {
    session_options_.check_client = [this](std::string_view type, std::string_view version) {
      const auto& old = options_.old_clients;
      const std::string with_version = std::string(type).append("/").append(version);
      return std::find(old.begin(), old.end(), type) == old.end() &&
             std::find(old.begin(), old.end(), with_version) == old.end();
    };
  }
}

absl::StatusOr<std::unique_ptr<Connector>> Connector::Start(
    const ConnectorOptions& options, const std::shared_ptr<const ServerList>& servers) {
  auto connector = std::unique_ptr<Connector>(new Connector(options));
  Connector& self = *connector;

  auto listener = net::Listener::Start(
      self.loops_,
      {.host = options.listen_host,
       .port = options.self.client_port,
       .max_connections = options.max_connections},
      [&self](net::Loop& loop, net::Connection& connection) -> std::unique_ptr<net::Protocol> {
        Surroundings& around = self.surroundings_[static_cast<size_t>(loop.index())];
        return std::make_unique<Session>(
            ++self.sessions_made_, loop, connection, self.session_options_,
            [&around](Session& session) { return std::make_unique<ChatSession>(session, around); });
      },
      AnswerHttp);
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);

  self.service_ = std::make_unique<ConnectorService>(
      [&self] {
        v1::WatchStatusResponse status;
        status.set_id(self.options_.self.id);
        status.set_client_host(self.options_.self.client_host);
        status.set_client_port(self.listener_->port());
        status.set_sessions(static_cast<uint32_t>(self.listener_->connections()));
        status.set_draining(self.draining_);
        status.set_version(HUBBUB_VERSION);
        return status;
      },
      self.contract_, Pointers(self.rooms_), [&self] { return self.peers_.All(); });
  auto server = rpc::Server::Start({.host = options.listen_host,
                                    .port = options.self.port,
                                    .reflection = options.reflection,
                                    .services = {self.service_.get()}});
  if (!server.ok()) return server.status();
  self.server_ = *std::move(server);
  self.Update(servers);
  return connector;
}

void Connector::Drain(std::chrono::milliseconds timeout) {
  if (draining_.exchange(true)) return;
  if (server_ != nullptr) server_->SetServing(false);
  if (service_ != nullptr) service_->Tick();
  if (listener_ == nullptr) return;
  listener_->StopAccepting();
  listener_->CloseAll("reconnect", timeout);
}

Connector::~Connector() {
  Drain(std::chrono::milliseconds(2'000));
  listener_.reset();
  if (service_ != nullptr) service_->Shutdown();
  if (server_ != nullptr) server_->Shutdown(1'000);
  links_.Stop();
  // Events that were posted before still point to the rooms.
  loops_.Stop();
}

}  // namespace hubbub::connector
