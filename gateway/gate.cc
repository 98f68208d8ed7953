#include "gateway/gate.h"

#include <utility>

#include "gateway/gate_session.h"
#include "gateway/web_page.h"

namespace hubbub::gateway {

// As in the article, the gate offers protobuf but no dictionary and no heartbeats: a client stays for one
// question.
Gate::Gate(const GateOptions& options)
    : options_(options),
      contract_(/*use_dict=*/false, options.use_protobuf, /*heartbeat=*/std::nullopt),
      servers_(std::make_shared<ServerList>()),
      watches_(table_),
      loops_(options.loops),
      server_table_(options.self.id, [this] { return status_->Now(); }),
      service_(table_, server_table_),
      users_(watches_) {
  for (int i = 0; i < loops_.size(); ++i) {
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.session_options.contract = &contract_;
    // A client asks and goes: one that stays and says nothing just takes a place.
    lane.session_options.idle_timeout = std::chrono::seconds(30);
    lane.session_options.has_to_speak = true;
    lane.session_options.counters = &lane.requests;
  }
}

absl::StatusOr<std::unique_ptr<Gate>> Gate::Start(const GateOptions& options,
                                                  std::shared_ptr<const ServerList> servers) {
  auto gate = std::unique_ptr<Gate>(new Gate(options));
  Gate& self = *gate;
  auto listener = net::Listener::Start(
      self.loops_,
      {.host = options.listen_host,
       .port = options.self.client_port,
       .max_connections = options.max_connections,
       .subprotocols = options.subprotocols},
      [&self](net::Loop& loop, net::Connection& connection) -> std::unique_ptr<net::Protocol> {
        return std::make_unique<Session>(
            ++self.sessions_made_, loop, connection,
            self.lanes_[static_cast<size_t>(loop.index())]->session_options,
            [&self](Session& session) { return std::make_unique<GateSession>(self.desk_, session.id()); });
      },
      [&self](std::string_view target) { return self.AnswerHttp(target); });
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);
  self.status_ =
      std::make_unique<rpc::StatusService>(options.self.id, [&self](rpc::StatusService::Status& status) {
        status.set_draining(self.draining_);
        status.set_client_address(HostPort(self.options_.self.client_host, self.listener_->port()));
        status.set_sessions(static_cast<uint32_t>(self.listener_->connections()));
      });
  auto server = rpc::Server::Start({.host = options.listen_host,
                                    .port = options.self.port,
                                    .reflection = options.reflection,
                                    .services = {&self.service_, &self.users_, self.status_.get()},
                                    .extras = options.extras});
  if (!server.ok()) return server.status();
  self.server_ = *std::move(server);
  self.Update(std::move(servers));
  return gate;
}

void Gate::Update(std::shared_ptr<const ServerList> servers) {
  watches_.Update(servers);
  server_table_.Update(*servers);
  MutexLock lock(mu_);
  servers_ = std::move(servers);
}

RequestCounts Gate::requests() const {
  RequestCounts sum = {};
  for (const auto& lane : lanes_) lane->requests.AddTo(sum);
  return sum;
}

std::shared_ptr<const ServerList> Gate::servers() {
  MutexLock lock(mu_);
  return servers_;
}

net::HttpResponse Gate::AnswerHttp(std::string_view target) const {
  const std::string_view path = net::PathOf(target);
  if (!options_.servers_page && path.starts_with("/servers")) return NoSuchPage();
  return path == "/servers.json" ? ServeJson(server_table_.Json()) : ServeWebPage(target);
}

Gate::~Gate() {
  draining_ = true;
  if (server_ != nullptr) server_->SetServing(false);
  if (listener_ != nullptr) {
    listener_->Drain("reconnect");
    listener_->CloseAll("reconnect", std::chrono::milliseconds(2'000));
  }
  if (status_ != nullptr) status_->Shutdown();
  listener_.reset();
  if (server_ != nullptr) server_->Shutdown(1'000);
}

}  // namespace hubbub::gateway
