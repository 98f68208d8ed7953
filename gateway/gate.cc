#include "gateway/gate.h"

#include <utility>

#include "gateway/gate_session.h"
#include "gateway/web_page.h"
#include "services/base/host_port.h"
#include "services/client/socketio_protocol.h"

namespace hubbub::gate {

// As in the article, the gate offers protobuf but no dictionary and no heartbeats: a client stays for one
// question.
Gate::Gate(const GateOptions& options)
    : options_(options),
      contract_(/*use_dict=*/false, options.use_protobuf, /*heartbeat=*/std::nullopt),
      pitaya_(contract_, encodings_, /*heartbeat=*/std::nullopt, client::PomeloOptions().max_package_bytes),
      servers_(std::make_shared<directory::ServerList>()),
      watches_(table_, options.extras.credentials),
      loops_(options.loops),
      server_table_(
          options.self.id, [this] { return status_->Now(); }, options.extras.credentials),
      service_(table_, server_table_),
      users_(watches_) {
  for (int i = 0; i < loops_.size(); ++i) {
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    // A client asks and goes: one that stays and says nothing just takes a place.
    lane.session_options.idle_timeout = std::chrono::seconds(30);
    lane.session_options.has_to_speak = true;
    lane.session_options.counters = &lane.client_counters;
    lane.session_options.sign_in = options.sign_in;
  }
}

std::unique_ptr<client::ClientSession> Gate::NewSession(net::Loop& loop, net::Connection& connection,
                                                        std::unique_ptr<client::ClientProtocol> protocol) {
  return std::make_unique<client::ClientSession>(
      ++sessions_made_, loop, connection, std::move(protocol),
      lanes_[static_cast<size_t>(loop.index())]->session_options,
      [this](client::ClientSession& session) { return std::make_unique<GateSession>(desk_, session); });
}

absl::StatusOr<std::unique_ptr<Gate>> Gate::Start(const GateOptions& options,
                                                  std::shared_ptr<const directory::ServerList> servers) {
  auto gate = std::unique_ptr<Gate>(new Gate(options));
  Gate& self = *gate;
  const net::ProtocolFactory protocol = {
      .make =
          [&self](net::Loop& loop, net::Connection& connection) {
            return self.NewSession(
                loop, connection,
                std::make_unique<client::PomeloProtocol>(self.pomelo_, connection.framed()));
          },
      .refuse = client::PomeloProtocol::Refusal};
  const size_t most_bytes = self.pomelo_.max_package_bytes;
  const auto waiting = net::BoundWaiting(self.loops_.size(), options.clients.max_waiting_bytes);
  self.engine_ = std::make_unique<engine::Engine>(
      self.loops_,
      engine::EngineOptions{.server_id = options.self.id,
                            .max_sessions = options.clients.max_connections,
                            .max_per_machine = options.clients.max_per_machine,
                            .waiting = waiting,
                            .check_bearer = client::BearerCheck(self.options_.sign_in),
                            .limits = {.max_payload_bytes = most_bytes}},
      [&self, most_bytes](net::Loop& loop, net::Connection& connection, socketio::EngineVersion version) {
        return self.NewSession(loop, connection,
                               std::make_unique<client::SocketIoProtocol>(
                                   self.socketio_, client::SocketIoProtocol::VersionOn(version), most_bytes));
      });
  net::ListenerOptions clients = options.clients;
  clients.host = options.listen_host;
  clients.port = options.self.client_port;
  clients.waiting = waiting;
  auto listener = net::Listener::Start(self.loops_, std::move(clients), protocol, self.Routes(protocol));
  if (!listener.ok()) return listener.status();
  self.listener_ = *std::move(listener);
  if (options.operators) {
    auto operators = net::Listener::Start(self.loops_, *options.operators, {}, self.OperatorRoutes());
    if (!operators.ok()) return operators.status();
    self.operator_listener_ = *std::move(operators);
  }
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

void Gate::Update(std::shared_ptr<const directory::ServerList> servers) {
  watches_.Update(servers);
  server_table_.Update(*servers);
  MutexLock lock(mu_);
  servers_ = std::move(servers);
}

client::ClientCounts Gate::client_counts() const {
  client::ClientCounts sum;
  for (const auto& lane : lanes_) lane->client_counters.AddTo(sum);
  return sum;
}

std::shared_ptr<const directory::ServerList> Gate::servers() {
  MutexLock lock(mu_);
  return servers_;
}

net::HttpRouter Gate::Routes(const net::ProtocolFactory& protocol) const {
  net::HttpRouter router;
  router.Add("/",
             {.handler = [this](const net::HttpRequest& request) { return AnswerHttp(request.target); }});
  router.AddWebSocket("/", {.protocol = protocol,
                            .subprotocols = options_.subprotocols,
                            .check_bearer = client::BearerCheck(options_.sign_in)});
  engine_->AddRoutes(router);
  return router;
}

net::HttpRouter Gate::OperatorRoutes() const {
  net::HttpRouter router;
  router.Add("/", {.handler = [this](const net::HttpRequest& request) {
               const std::string_view path = net::PathOf(request.target);
               if (path == "/servers.json") return ServeJson(server_table_.Json());
               return ServeWebPage(path == "/" ? "/servers" : request.target);
             }});
  return router;
}

net::HttpResponse Gate::AnswerHttp(std::string_view target) const {
  const std::string_view path = net::PathOf(target);
  const bool shown = options_.servers_page && !options_.operators;
  if (!shown && path.starts_with("/servers")) return NoSuchPage();
  if (path == "/signin.json")
    return ServeJson(options_.sign_in == nullptr ? R"({"required":false})" : R"({"required":true})");
  return path == "/servers.json" ? ServeJson(server_table_.Json()) : ServeWebPage(target);
}

Gate::~Gate() {
  draining_ = true;
  if (server_ != nullptr) server_->SetServing(false);
  if (listener_ != nullptr) {
    listener_->Drain("reconnect");
    engine_->Drain("reconnect");
    listener_->CloseAll("reconnect", std::chrono::milliseconds(2'000));
    engine_->WaitForEnd(std::chrono::milliseconds(2'000));
  }
  if (status_ != nullptr) status_->Shutdown();
  listener_.reset();
  operator_listener_.reset();
  engine_.reset();
  if (server_ != nullptr) server_->Shutdown(1'000);
}

}  // namespace hubbub::gate
