#include "chat/history_service.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "chat/connectors/forward.h"
#include "chat/rooms/event.h"
#include "fmt/format.h"
#include "services/base/limits.h"
#include "services/rpc/forwarded.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/owner_hint.h"
#include "services/rpc/refused_stream.h"

namespace hubbub::chat {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kMostPage = 500;

void ToProto(const LoggedEvent& row, uint64_t epoch, v1::Event* event) {
  event->set_room(row.room);
  event->set_epoch(epoch);
  event->set_offset(static_cast<uint64_t>(row.offset));
  event->set_time_ms(row.time_ms);
  v1::Message* const message = event->mutable_message();
  message->set_from(row.sender);
  message->set_target(row.target.empty() ? kEverybody : row.target);
  message->set_content(row.content);
  message->set_id(row.id);
}

absl::Status Check(const v1::ListEventsRequest& request) {
  if (absl::Status status = CheckName("room", request.room()); !status.ok()) return status;
  if (request.page_size() < 0) {
    return absl::InvalidArgumentError(
        fmt::format("page_size is {}: it must not be negative", request.page_size()));
  }
  return request.user().empty() ? absl::OkStatus() : CheckName("user", request.user());
}

}  // namespace

absl::Status HistoryService::Ready() const {
  if (log_ == nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("chat server \"{}\" keeps no history: start it with a store and --history=durable", id_));
  }
  if (log_->running()) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("chat server \"{}\" does not reach its store: try again soon", id_));
}

grpc::ServerUnaryReactor* HistoryService::ListEvents(grpc::CallbackServerContext* context,
                                                     const v1::ListEventsRequest* request,
                                                     v1::ListEventsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = Check(*request);
  if (status.ok()) status = Ready();
  if (!status.ok()) {
    reactor->Finish(rpc::ToGrpc(status));
    return reactor;
  }
  HistoryQuery query{
      .room = request->room(),
      .user = request->public_only() ? std::string() : request->user(),
      .everything = !request->public_only() && request->user().empty(),
      .before = static_cast<int64_t>(std::min<uint64_t>(request->before(), INT64_MAX)),
      .limit = request->page_size() == 0 ? kDefaultPage : std::min(request->page_size(), kMostPage)};
  log_->history().Page(std::move(query), [this, reactor, response](absl::StatusOr<HistoryPage> page) {
    if (page.ok()) {
      const uint64_t epoch = cluster_.slots().epoch();
      for (const LoggedEvent& row : page->events) ToProto(row, epoch, response->add_events());
      response->set_next_before(static_cast<uint64_t>(page->next_before));
      response->set_epoch(epoch);
    }
    reactor->Finish(rpc::ToGrpc(page.status()));
  });
  return reactor;
}

// One call of ExportEvents: reads a few messages, writes them one after the other, and reads on. gRPC owns
// it: it deletes itself at the end of the call.
class HistoryService::Export final : public grpc::ServerWriteReactor<v1::Event> {
 public:
  Export(History& history, uint64_t epoch, std::string room, int64_t after)
      : history_(history), epoch_(epoch), room_(std::move(room)), after_(after) {
    Read();
  }

 private:
  void Read() {
    history_.After(room_, after_, [this](absl::StatusOr<std::vector<LoggedEvent>> events) {
      if (!events.ok() || events->empty()) return Finish(rpc::ToGrpc(events.status()));
      events_ = *std::move(events);
      next_ = 0;
      WriteNext();
    });
  }
  void WriteNext() {
    if (next_ == events_.size()) return Read();
    after_ = events_[next_].offset;
    event_.Clear();
    ToProto(events_[next_++], epoch_, &event_);
    StartWrite(&event_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    WriteNext();
  }
  void OnDone() override { delete this; }

  History& history_;
  const uint64_t epoch_;
  const std::string room_;
  int64_t after_;
  std::vector<LoggedEvent> events_;
  size_t next_ = 0;
  v1::Event event_;
};

grpc::ServerWriteReactor<v1::Event>* HistoryService::ExportEvents(grpc::CallbackServerContext* /*context*/,
                                                                  const v1::ExportEventsRequest* request) {
  absl::Status status = CheckName("room", request->room());
  if (status.ok()) status = Ready();
  if (!status.ok()) return new rpc::RefusedStream<v1::Event>(rpc::ToGrpc(status));
  return new Export(log_->history(), cluster_.slots().epoch(), request->room(),
                    static_cast<int64_t>(std::min<uint64_t>(request->after(), INT64_MAX)));
}

grpc::ServerUnaryReactor* HistoryService::DeleteRoom(grpc::CallbackServerContext* context,
                                                     const v1::DeleteRoomRequest* request,
                                                     v1::DeleteRoomResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = CheckName("room", request->room());
  if (status.ok()) status = Ready();
  if (status.ok()) status = cluster_.admission().MayTake(request->room());
  const std::string owner = rpc::OwnerIn(status);
  if (status.ok()) {
    DeleteHere(request->room(), [reactor, response](const absl::Status& deleted, uint64_t offset) {
      response->set_offset(offset);
      reactor->Finish(rpc::ToGrpc(deleted));
    });
    return reactor;
  }
  const auto there = owner.empty() ? nullptr : cluster_.links().HistoryOf(owner);
  if (there == nullptr || rpc::WasForwarded(*context)) {
    reactor->Finish(rpc::ToGrpc(status));
    return reactor;
  }
  struct Call {
    std::shared_ptr<v1::HistoryService::StubInterface> stub;
    grpc::ClientContext context;
  };
  const auto call = std::make_shared<Call>();
  call->stub = there;
  rpc::SetForwarded(call->context, *context);
  there->async()->DeleteRoom(&call->context, request, response,
                             [call, reactor, request](const grpc::Status& answer) {
                               reactor->Finish(OwnersAnswer(request->room(), answer));
                             });
  return reactor;
}

void HistoryService::DeleteHere(const std::string& room,
                                const std::function<void(const absl::Status&, uint64_t)>& done) {
  const int slot = cluster_.slots().SlotOfRoom(room);
  const int64_t generation = cluster_.slots().Held(slot);
  // What is proposed at this moment gets a greater offset, and stays.
  const absl::StatusOr<RoomInfo> here = rooms_.Get(room);
  const int64_t offset = here.ok() ? static_cast<int64_t>(here->offset) : 0;
  if (here.ok() && offset == 0) return done(absl::OkStatus(), 0);
  log_->history().Delete(room, offset, [=, this](const absl::StatusOr<int64_t>& deleted) {
    if (!deleted.ok()) return done(deleted.status(), 0);
    // Behind a read that has begun before the deletion.
    rooms_.WhenRead(room, [=, this, upto = static_cast<uint64_t>(*deleted)] {
      if (rooms_.ForgetEvents(room, upto) && cluster_.slots().Held(slot) == generation)
        return done(absl::OkStatus(), upto);
      // It may have taken its last messages along.
      done(absl::AbortedError(fmt::format(
               "room \"{}\" has moved to another chat server while it was deleted: delete it again", room)),
           0);
    });
  });
}

}  // namespace hubbub::chat
