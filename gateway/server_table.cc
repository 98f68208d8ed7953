#include "gateway/server_table.h"

#include <memory>
#include <utility>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "hubbub/directory/v1/status.grpc.pb.h"
#include "services/base/host_port.h"
#include "services/base/mutex.h"
#include "services/directory/identity.h"
#include "services/rpc/channel.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::gate {
namespace {

using directory::v1::StatusService;

// What the directory knows.
v1::Server Describe(const directory::ServerInfo& info, v1::ServerState state) {
  v1::Server server;
  server.set_id(info.id);
  server.set_kind(ToProto(info.kind));
  server.set_state(state);
  server.set_grpc_address(info.grpc_address());
  if (info.kind != directory::ServerKind::kChat)
    server.set_client_address(HostPort(info.client_host, info.client_port));
  return server;
}

// And what the server tells itself.
v1::Server Describe(const directory::ServerInfo& info, const ServerTable::Status& status) {
  v1::Server server = Describe(info, status.draining() ? v1::SERVER_STATE_DRAINING : v1::SERVER_STATE_READY);
  if (!status.client_address().empty()) server.set_client_address(status.client_address());
  server.set_version(status.version());
  server.set_sessions(status.sessions());
  server.set_rooms(status.rooms());
  server.set_members(status.members());
  server.set_cpu_load(status.cpu_load());
  return server;
}

}  // namespace

// One server, and the line to it.
class ServerTable::Row {
 public:
  // `own`: null unless this gate itself is the server. Then there is no line.
  Row(directory::ServerInfo info, std::function<Status()> own, const rpc::Credentials& credentials)
      : info_(std::move(info)),
        own_(std::move(own)),
        stub_(StatusService::NewStub(rpc::MakeChannel(info_.grpc_address(), credentials))),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { stub_->async()->WatchStatus(context, request, reactor); },
            .request = [] { return directory::v1::WatchStatusRequest(); },
            .on_message = [this](Status& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {}

  void Start() {
    if (own_ == nullptr) stream_.Start();
  }
  void Stop() { stream_.Stop(); }

  v1::Server Now() const ABSL_LOCKS_EXCLUDED(mu_) {
    if (own_ != nullptr) return Describe(info_, own_());
    MutexLock lock(mu_);
    return state_ == v1::SERVER_STATE_READY ? Describe(info_, status_) : Describe(info_, state_);
  }

 private:
  void OnStatus(Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (status.id() == info_.id) {
      state_ = v1::SERVER_STATE_READY;
      status_.Swap(&status);
      return;
    }
    state_ = v1::SERVER_STATE_UNREACHABLE;
    if (!std::exchange(wrong_id_, true)) {
      spdlog::error(
          "at {} the directory has {} {}, but it says that it is {}: mend the directory or its --id",
          info_.grpc_address(), std::string(ToString(info_.kind)), info_.id, status.id());
    }
  }

  void OnEnd(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    // It answers, but is of a version that knows no status.
    const bool silent = status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
    state_ = silent ? v1::SERVER_STATE_UNSPECIFIED : v1::SERVER_STATE_UNREACHABLE;
  }

  const directory::ServerInfo info_;
  const std::function<Status()> own_;
  mutable Mutex mu_;
  v1::ServerState state_ ABSL_GUARDED_BY(mu_) = v1::SERVER_STATE_UNREACHABLE;  // READY: `status_` holds.
  Status status_ ABSL_GUARDED_BY(mu_);
  bool wrong_id_ ABSL_GUARDED_BY(mu_) = false;
  const std::unique_ptr<StatusService::Stub> stub_;
  rpc::StreamKeeper<directory::v1::WatchStatusRequest, Status> stream_;
};

ServerTable::ServerTable(std::string id, std::function<Status()> own, rpc::Credentials credentials)
    : id_(std::move(id)),
      rows_({.make =
                 [self = std::pair(directory::ServerKind::kGate, id_), own = std::move(own),
                  credentials = std::move(credentials)](const Listed& server) {
                   return std::make_shared<Row>(server.info, server.id == self ? own : nullptr, credentials);
                 },
             .start = [](Row& row) { row.Start(); },
             .stop = [](Row& row) { row.Stop(); }}) {}

void ServerTable::Update(const directory::ServerList& servers) {
  std::vector<Listed> all;
  for (const directory::ServerKind kind :
       {directory::ServerKind::kGate, directory::ServerKind::kConnector, directory::ServerKind::kChat}) {
    for (const directory::ServerInfo& info : servers.of(kind))
      all.push_back({.id = {kind, info.id}, .info = info});
  }
  rows_.Update(all);
}

v1::ListServersResponse ServerTable::List() const {
  v1::ListServersResponse response;
  response.set_gate(id_);
  for (const auto& row : rows_.All()) *response.add_servers() = row->Now();
  return response;
}

std::string ServerTable::Json() const {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(List(), &json, options);
  if (!status.ok()) spdlog::error("the servers cannot be written as JSON: {}", status.ToString());
  return json;
}

}  // namespace hubbub::gate
