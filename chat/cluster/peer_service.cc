#include "chat/cluster/peer_service.h"

#include <vector>

#include "chat/cluster/peer_links.h"
#include "chat/connectors/room_proto.h"
#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/limits.h"
#include "services/base/slot.h"
#include "services/rpc/access.h"
#include "services/rpc/grpc_status.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

grpc::ServerWriteReactor<v1::WatchResponse>* PeerService::Watch(grpc::CallbackServerContext* context,
                                                                const v1::WatchRequest* request) {
  auto* const stream = new Stream([this](Stream* done) {
    MutexLock lock(mu_);
    streams_.erase(done);
  });
  if (const absl::Status status = rpc::MaySpeakFor(*context, rpc::Role::kChat, request->server());
      !status.ok()) {
    stream->End(rpc::ToGrpc(status));
    return stream;
  }
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
  if (!slots_.Lives(request->incarnation())) keeper_.Wake();
  v1::WatchResponse response;
  response.set_server(id_);
  response.set_incarnation(slots_.incarnation());
  MutexLock lock(mu_);
  if (shut_down_) {
    stream->End({grpc::StatusCode::UNAVAILABLE, fmt::format("chat server \"{}\" is shutting down", id_)});
    return stream;
  }
  streams_.insert(stream);
  stream->Offer(std::move(response));
  return stream;
}

void PeerService::Shutdown() {
  MutexLock lock(mu_);
  shut_down_ = true;
  for (Stream* const stream : streams_)
    stream->End({grpc::StatusCode::UNAVAILABLE, fmt::format("chat server \"{}\" is shutting down", id_)});
}

grpc::ServerUnaryReactor* PeerService::Import(grpc::CallbackServerContext* context,
                                              const v1::ImportRequest* request,
                                              v1::ImportResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const Done done = [reactor, response](const absl::StatusOr<v1::ImportResponse>& answer) {
    if (answer.ok()) *response = *answer;
    reactor->Finish(rpc::ToGrpc(answer.status()));
  };
  if (const absl::Status status = rpc::MaySpeakFor(*context, rpc::Role::kChat, request->server());
      !status.ok()) {
    done(status);
    return reactor;
  }
  {
    MutexLock lock(import_mu_);
    const auto last = imports_.find(request->server());
    // A batch comes again because its answer was lost. Its slots may have gone on to another server since.
    if (last != imports_.end() && last->second.incarnation == request->incarnation() &&
        last->second.batch >= request->batch() && !last->second.under_way) {
      done(last->second.answer);
      return reactor;
    }
    if (absl::Status status = Begin(*request); !status.ok()) {
      done(status);
      return reactor;
    }
  }
  std::vector<SlotOffer> offers;
  for (const v1::Slot& slot : request->slots()) {
    offers.push_back({.slot = static_cast<int>(slot.slot()),
                      .owner = request->incarnation(),
                      .generation = slot.generation()});
  }
  keeper_.TakeOver(std::move(offers),
                   [this, request, done](const absl::StatusOr<SlotKeeper::Slots>& claimed) {
                     OnClaimed(*request, claimed, done);
                   });
  return reactor;
}

absl::Status PeerService::Begin(const v1::ImportRequest& request) {
  const auto last = imports_.find(request.server());
  if (last != imports_.end() && last->second.incarnation == request.incarnation() && last->second.under_way) {
    return absl::AbortedError(
        fmt::format("chat server \"{}\" is taking slots of this server already: ask again soon", id_));
  }
  // Up to here nothing has happened: the sender keeps its slots.
  if (absl::Status status = cluster_.Ready(); !status.ok()) return status;
  if (slots_.draining()) {
    return absl::FailedPreconditionError(fmt::format("chat server \"{}\" drains and takes no slots", id_));
  }
  if (absl::Status status = CheckName("server", request.server()); !status.ok()) return status;
  const auto slots = static_cast<uint32_t>(slots_.slots());
  for (int i = 0; i < request.slots_size(); ++i) {
    if (request.slots(i).slot() < slots) continue;
    return absl::InvalidArgumentError(
        fmt::format("slots[{}].slot is {}: there are {} slots", i, request.slots(i).slot(), slots));
  }
  for (int i = 0; i < request.rooms_size(); ++i) {
    if (absl::Status status = CheckName(fmt::format("rooms[{}].room", i), request.rooms(i).room());
        !status.ok())
      return status;
    for (const v1::PlaceState& place : request.rooms(i).places()) {
      if (absl::Status status = CheckName(fmt::format("rooms[{}].places.connector", i), place.connector());
          !status.ok())
        return status;
    }
  }
  if (last == imports_.end() && imports_.size() >= kMostImporters)
    absl::erase_if(imports_, [](const auto& entry) { return !entry.second.under_way; });
  imports_[request.server()] = {.incarnation = request.incarnation(), .batch = request.batch()};
  return absl::OkStatus();
}

void PeerService::OnClaimed(const v1::ImportRequest& request,
                            const absl::StatusOr<SlotKeeper::Slots>& claimed, const Done& done) {
  v1::ImportResponse answer;
  if (claimed.ok()) {
    TakeRooms(request, *claimed);
    for (const SlotGeneration& slot : *claimed) {
      v1::Slot* const taken = answer.add_slots();
      taken->set_slot(static_cast<uint32_t>(slot.slot));
      taken->set_generation(slot.generation);
    }
    if (answer.slots_size() < request.slots_size())
      answer.set_reason("the others were not as offered any more in the store");
  }
  {
    MutexLock lock(import_mu_);
    const auto last = imports_.find(request.server());
    if (last != imports_.end() && last->second.batch == request.batch() &&
        last->second.incarnation == request.incarnation()) {
      if (claimed.ok()) {
        last->second.under_way = false;
        last->second.answer = answer;
      } else {
        imports_.erase(last);
      }
    }
  }
  if (!claimed.ok()) return done(claimed.status());
  done(answer);
}

void PeerService::TakeRooms(const v1::ImportRequest& request, const SlotKeeper::Slots& claimed) {
  slots_.TakenOver(claimed);
  absl::flat_hash_set<int> mine;
  for (const SlotGeneration& slot : claimed) mine.insert(slot.slot);
  StringMap<SubscriberPtr> awaited;
  for (const v1::RoomState& proto : request.rooms()) {
    if (!mine.contains(slots_.SlotOfRoom(proto.room()))) continue;
    const RoomState state = FromProto(proto, SteadyNowMs());
    std::vector<SubscriberPtr> subscribers;
    subscribers.reserve(state.places.size());
    for (const RoomState::Place& place : state.places) {
      SubscriberPtr& subscriber = awaited[place.connector];
      if (subscriber == nullptr) subscriber = leases_.Await(place.connector);
      subscribers.push_back(subscriber);
    }
    if (const absl::Status status = rooms_.moves().Import(state, subscribers, id_); !status.ok())
      spdlog::warn("a room of chat server {} was not taken over: {}", request.server(),
                   std::string(status.message()));
  }
  slots_.Open(claimed);
}

}  // namespace hubbub::chat
