#include "gateway/server_table.h"

#include <utility>

#include "google/protobuf/util/json_util.h"
#include "hubbub/directory/v1/status.grpc.pb.h"
#include "services/discovery/identity.h"
#include "services/rpc/channel.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::gateway {
namespace {

namespace v1 = gate::v1;
using directory::v1::StatusService;
using directory::v1::WatchStatusRequest;

// What the directory knows.
v1::Server Describe(const ServerInfo& info, v1::ServerState state) {
  v1::Server server;
  server.set_id(info.id);
  server.set_kind(ToProto(info.kind));
  server.set_state(state);
  server.set_grpc_address(info.grpc_address());
  if (info.kind != ServerKind::kChat) server.set_client_address(HostPort(info.client_host, info.client_port));
  return server;
}

// And what the server tells itself.
v1::Server Describe(const ServerInfo& info, const ServerTable::Status& status) {
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

// The line to one other server.
class ServerTable::Watch {
 public:
  explicit Watch(ServerInfo info)
      : info_(std::move(info)),
        stub_(StatusService::NewStub(rpc::MakeChannel(info_.grpc_address()))),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { stub_->async()->WatchStatus(context, request, reactor); },
            .request = [] { return WatchStatusRequest(); },
            .on_message = [this](Status& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {
    stream_.Start();
  }

  v1::Server Now() const ABSL_LOCKS_EXCLUDED(mu_) {
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

  const ServerInfo info_;
  mutable Mutex mu_;
  v1::ServerState state_ ABSL_GUARDED_BY(mu_) = v1::SERVER_STATE_UNREACHABLE;  // READY: `status_` holds.
  Status status_ ABSL_GUARDED_BY(mu_);
  bool wrong_id_ ABSL_GUARDED_BY(mu_) = false;
  const std::unique_ptr<StatusService::Stub> stub_;
  rpc::StreamKeeper<WatchStatusRequest, Status> stream_;
};

ServerTable::ServerTable(std::string id, std::function<Status()> own)
    : id_(std::move(id)), own_(std::move(own)) {}
ServerTable::~ServerTable() = default;

void ServerTable::Update(const ServerList& servers) {
  std::map<Key, Entry> now;
  for (const ServerKind kind : {ServerKind::kGate, ServerKind::kConnector, ServerKind::kChat}) {
    for (const ServerInfo& info : servers.of(kind)) now.emplace(Key(kind, info.id), Entry{.info = info});
  }
  {
    MutexLock lock(mu_);
    for (auto& [key, entry] : now) {
      const auto known = entries_.find(key);
      if (known != entries_.end() && known->second.info == entry.info) {
        entry.watch = known->second.watch;
      } else if (key != Key(ServerKind::kGate, id_)) {
        entry.watch = std::make_shared<Watch>(entry.info);
      }
    }
    entries_.swap(now);
  }
  // Outside the lock the lines end that nobody holds any more: that waits for their callbacks.
  now.clear();
}

v1::ListServersResponse ServerTable::List() const {
  v1::ListServersResponse response;
  response.set_gate(id_);
  MutexLock lock(mu_);
  for (const auto& [key, entry] : entries_)
    *response.add_servers() = entry.watch != nullptr ? entry.watch->Now() : Describe(entry.info, own_());
  return response;
}

std::string ServerTable::Json() const {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(List(), &json, options);
  if (!status.ok()) spdlog::error("the servers can not be written as JSON: {}", status.ToString());
  return json;
}

}  // namespace hubbub::gateway
