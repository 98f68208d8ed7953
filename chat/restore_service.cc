// ChatService.Restore: places that come back to their rooms, many in one call.
#include <memory>
#include <utility>

#include "chat/chat_service.h"
#include "chat/check_request.h"
#include "chat/owner_table.h"
#include "chat/room_proto.h"
#include "fmt/format.h"
#include "services/clock.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::chat {
namespace {

// Far below what a gRPC client receives by default; what does not fit is asked for again.
constexpr size_t kMaxAnswerBytes = size_t{2} << 20;

void ToProto(const absl::Status& status, v1::RestoredRoom* proto) {
  const std::string owner = OwnerIn(status);
  proto->set_outcome(owner.empty() ? v1::RESTORE_OUTCOME_LATER : v1::RESTORE_OUTCOME_ELSEWHERE);
  proto->set_owner(owner);
  proto->set_reason(std::string(status.message()));
}

void ToProto(const RestoreResults& results, v1::RestoreResponse& response) {
  size_t bytes = 0;
  for (const absl::StatusOr<RestoreResult>& result : results) {
    v1::RestoredRoom* const room = response.add_rooms();
    if (!result.ok()) {
      ToProto(result.status(), room);
      continue;
    }
    // The places are there, and asking again finds them so.
    if (bytes > kMaxAnswerBytes) {
      room->set_outcome(v1::RESTORE_OUTCOME_LATER);
      room->set_reason("the answer is full");
      continue;
    }
    chat::ToProto(*result, room);
    bytes += room->ByteSizeLong();
  }
}

}  // namespace

grpc::ServerUnaryReactor* ChatService::Restore(grpc::CallbackServerContext* context,
                                               const v1::RestoreRequest* request,
                                               v1::RestoreResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = CheckRequest(*request);
  const CallGate::Pass pass(gate_);
  if (status.ok() && !pass) status = ShuttingDown();
  if (status.ok()) status = Ready();
  absl::StatusOr<SubscriberPtr> subscriber = SubscriberPtr();
  if (status.ok()) {
    subscriber = leases_.Find(request->lease());
    status = subscriber.status();
  }
  if (!status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  const std::string& lost = request->lost_server();
  LossReport report{.connector = (*subscriber)->connector(),
                    .part = request->part(),
                    .parts = request->parts(),
                    .calls = request->calls(),
                    .rooms = {}};
  for (const v1::RoomPlaces& room : request->rooms())
    report.rooms.emplace_back(room.room(), ClaimOf(room, *subscriber, SteadyNowMs()));
  const uint64_t incarnation = request->lost_incarnation();
  const bool own = lost == id_ && cluster_.incarnation && cluster_.incarnation() == incarnation;
  const bool waits =
      !lost.empty() && !own && cluster_.recovery != nullptr &&
      cluster_.recovery->Stage(lost, incarnation, report, [response, reactor](const RestoreResults& results) {
        ToProto(results, *response);
        reactor->Finish(grpc::Status::OK);
      });
  if (waits) return reactor;
  if (!lost.empty() && lost != id_ && cluster_.is_lost && !cluster_.is_lost(lost, incarnation)) {
    // Whoever tells too early would not be waited for, or be waited for in vain.
    reactor->Finish(
        {grpc::StatusCode::FAILED_PRECONDITION,
         fmt::format("chat server \"{}\" is not lost, as far as \"{}\" knows: tell again if it is", lost,
                     id_)});
    return reactor;
  }
  RestoreResults results;
  for (auto& [room, claim] : report.rooms) {
    if (lost.empty()) {
      results.push_back(rooms_.Restore(room, claim));
      continue;
    }
    // Later than the others: what they told is there.
    absl::StatusOr<std::vector<RestoreResult>> late = rooms_.Recover(room, {std::move(claim)});
    results.push_back(late.ok() ? absl::StatusOr<RestoreResult>(std::move(late->front())) : late.status());
  }
  ToProto(results, *response);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace hubbub::chat
