#include "chat/peer_service.h"

#include <utility>
#include <vector>

#include "chat/peer_links.h"
#include "chat/room_proto.h"
#include "fmt/format.h"
#include "services/limits.h"
#include "services/rpc/grpc_status.h"
#include "services/string_map.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

grpc::ServerWriteReactor<v1::WatchResponse>* PeerService::Watch(grpc::CallbackServerContext* context,
                                                                const v1::WatchRequest* request) {
  auto* const stream = new Stream([this](Stream* done) {
    MutexLock lock(mu_);
    watchers_.erase(done);
  });
  if (request->contract() != kPeerContract) {
    stream->End(
        {grpc::StatusCode::FAILED_PRECONDITION,
         fmt::format("chat server \"{}\" speaks version {} of the contract between chat servers, and \"{}\" "
                     "version {}: run the same version of both",
                     request->server(), request->contract(), id_, kPeerContract)});
    return stream;
  }
  if (request->server() == id_) {
    const std::string text = fmt::format(
        "another process, at {}, says that it is chat server \"{}\" too: give one of them another --id",
        context->peer(), id_);
    spdlog::error("{}", text);
    stream->End({grpc::StatusCode::FAILED_PRECONDITION, text});
    return stream;
  }
  MutexLock lock(mu_);
  if (shut_down_) {
    stream->End({grpc::StatusCode::UNAVAILABLE, fmt::format("chat server \"{}\" is shutting down", id_)});
    return stream;
  }
  Watcher& watcher = watchers_[stream];
  watcher.peer = request->server();
  TellOne(*stream, watcher);
  return stream;
}

void PeerService::Tell() {
  MutexLock lock(mu_);
  for (auto& [stream, watcher] : watchers_) TellOne(*stream, watcher);
}

void PeerService::TellOne(Stream& stream, Watcher& watcher) {
  const PeerStatus status = owners_.StatusFor(watcher.peer);
  v1::WatchResponse response;
  response.set_server(id_);
  response.set_incarnation(incarnation_());
  response.set_draining(status.draining);
  response.set_settled(status.settled);
  response.set_times_lost(status.times_lost);
  std::string bytes = response.SerializeAsString();
  if (bytes == watcher.last) return;
  watcher.last = std::move(bytes);
  stream.Offer(std::move(response));
}

void PeerService::Shutdown() {
  MutexLock lock(mu_);
  shut_down_ = true;
  for (auto& [stream, watcher] : watchers_)
    stream->End({grpc::StatusCode::UNAVAILABLE, fmt::format("chat server \"{}\" is shutting down", id_)});
}

grpc::ServerUnaryReactor* PeerService::Import(grpc::CallbackServerContext* context,
                                              const v1::ImportRequest* request, v1::ImportResponse*) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(DoImport(*request)));
  return reactor;
}

absl::Status PeerService::DoImport(const v1::ImportRequest& request) {
  // Up to here nothing has happened: the sender keeps its rooms.
  if (absl::Status status = ready_(); !status.ok()) return status;
  if (owners_.StatusFor(request.server()).draining) {
    return absl::FailedPreconditionError(fmt::format("chat server \"{}\" drains and takes no rooms", id_));
  }
  for (const v1::RoomState& room : request.rooms()) {
    if (absl::Status status = CheckName("rooms.room", room.room()); !status.ok()) return status;
  }
  StringMap<SubscriberPtr> awaited;
  bool others = false;
  for (const v1::RoomState& proto : request.rooms()) {
    const RoomState state = FromProto(proto);
    std::vector<SubscriberPtr> subscribers;
    subscribers.reserve(state.places.size());
    for (const RoomState::Place& place : state.places) {
      SubscriberPtr& subscriber = awaited[place.connector];
      if (subscriber == nullptr) subscriber = leases_.Await(place.connector);
      subscribers.push_back(subscriber);
    }
    if (const absl::Status status = rooms_.Import(state, subscribers); !status.ok()) {
      // Some are here already. The sender asks again.
      return absl::UnavailableError(std::string(status.message()));
    }
    others = others || owners_.OwnerOf(state.room).kind == OwnerTable::Owner::Kind::kOther;
  }
  if (others) owners_.Unsettle();
  return absl::OkStatus();
}

}  // namespace hubbub::chat
