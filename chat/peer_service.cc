#include "chat/peer_service.h"

#include <utility>
#include <vector>

#include "chat/peer_links.h"
#include "chat/room_proto.h"
#include "fmt/format.h"
#include "services/clock.h"
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
  response.set_incarnation(status.incarnation);
  response.set_term(status.term);
  response.set_draining(status.draining);
  response.set_settled(status.settled);
  response.set_times_lost(status.times_lost);
  response.set_heard_incarnation(status.heard_incarnation);
  response.set_heard_term(status.heard_term);
  for (const ServerInfo& server : status.leaving) {
    v1::LeavingServer* const leaving = response.add_leaving();
    leaving->set_id(server.id);
    leaving->set_host(server.host);
    leaving->set_port(server.port);
  }
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
                                              const v1::ImportRequest* request,
                                              v1::ImportResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::StatusOr<v1::ImportResponse> answer = DoImport(*request);
  if (answer.ok()) *response = *answer;
  reactor->Finish(ToGrpc(answer.status()));
  return reactor;
}

absl::StatusOr<v1::ImportResponse> PeerService::DoImport(const v1::ImportRequest& request) {
  MutexLock lock(import_mu_);
  const auto last = imports_.find(request.server());
  // A batch comes again because its answer was lost. Its rooms may have gone on to another server since.
  if (last != imports_.end() && last->second.incarnation == request.incarnation() &&
      last->second.batch >= request.batch())
    return last->second.answer;
  // Up to here nothing has happened: the sender keeps its rooms.
  if (absl::Status status = ready_(); !status.ok()) return status;
  if (owners_.StatusFor(request.server()).draining) {
    return absl::FailedPreconditionError(fmt::format("chat server \"{}\" drains and takes no rooms", id_));
  }
  if (absl::Status status = CheckName("server", request.server()); !status.ok()) return status;
  for (int i = 0; i < request.rooms_size(); ++i) {
    if (absl::Status status = CheckName(fmt::format("rooms[{}].room", i), request.rooms(i).room());
        !status.ok())
      return status;
  }
  v1::ImportResponse answer;
  StringMap<SubscriberPtr> awaited;
  for (const v1::RoomState& proto : request.rooms()) {
    const RoomState state = FromProto(proto, SteadyNowMs());
    std::vector<SubscriberPtr> subscribers;
    subscribers.reserve(state.places.size());
    for (const RoomState::Place& place : state.places) {
      SubscriberPtr& subscriber = awaited[place.connector];
      if (subscriber == nullptr) subscriber = leases_.Await(place.connector);
      subscribers.push_back(subscriber);
    }
    const absl::Status status =
        rooms_.Import(state, subscribers, [this](std::string_view room) { return owners_.MayTake(room); });
    if (status.ok()) continue;
    answer.add_refused(state.room);
    answer.set_reason(std::string(status.message()));
  }
  if (last == imports_.end() && imports_.size() >= kMostImporters) imports_.clear();
  imports_[request.server()] = {
      .incarnation = request.incarnation(), .batch = request.batch(), .answer = answer};
  return answer;
}

}  // namespace hubbub::chat
