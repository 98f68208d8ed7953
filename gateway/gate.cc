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
      service_(options.self.id, table_, watches_, [this] { return servers(); }),
      users_(watches_) {
  for (int i = 0; i < loops_.size(); ++i) {
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.session_options.contract = &contract_;
    lane.session_options.idle_timeout = std::chrono::seconds(30);
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
       .max_connections = options.max_connections},
      [&self](net::Loop& loop, net::Connection& connection) -> std::unique_ptr<net::Protocol> {
        return std::make_unique<Session>(
            ++self.sessions_made_, loop, connection,
            self.lanes_[static_cast<size_t>(loop.index())]->session_options,
            [&self](Session&) { return std::make_unique<GateSession>(self.table_); });
      },
      ServeWebPage);
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);
  auto server = rpc::Server::Start({.host = options.listen_host,
                                    .port = options.self.port,
                                    .reflection = options.reflection,
                                    .services = {&self.service_, &self.users_},
                                    .extras = options.extras});
  if (!server.ok()) return server.status();
  self.server_ = *std::move(server);
  self.Update(std::move(servers));
  return gate;
}

void Gate::Update(std::shared_ptr<const ServerList> servers) {
  watches_.Update(servers);
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

Gate::~Gate() {
  if (server_ != nullptr) server_->SetServing(false);
  if (listener_ != nullptr) {
    listener_->StopAccepting();
    listener_->CloseAll("reconnect", std::chrono::milliseconds(2'000));
  }
  listener_.reset();
  if (server_ != nullptr) server_->Shutdown(1'000);
}

}  // namespace hubbub::gateway
