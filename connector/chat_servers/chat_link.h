#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/chat_servers/send_stream.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "hubbub/chat/v1/history.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/directory/directory.h"
#include "services/rpc/channel.h"
#include "services/rpc/reachability.h"
#include "services/rpc/stream_keeper.h"
#include "services/rpc/unary.h"

namespace hubbub::connector {

// The connection of this connector to one chat server: the channel, and the Subscribe stream that is the
// connector's lease there. Thread-safe. Owned by ChatLinks, and by calls until they end.
class ChatLink {
 public:
  using Events = google::protobuf::RepeatedPtrField<chat::v1::Event>;
  // Called on gRPC's threads, for each server one call at a time, in the order in which things happened.
  // `server`: the id of the chat server.
  struct Listener {
    // The events of a batch, which may be moved from.
    std::function<void(const std::string& server, Events& events)> on_events;
    // The stream stands. `incarnation`: the run of the chat server. `fresh`: the lease is the first one, or
    // another than before: then the chat server knows none of this connector's places.
    std::function<void(const std::string& server, uint64_t incarnation, bool fresh)> on_up;
    // The stream broke, and no new one could be opened. That lasts until on_up.
    std::function<void(const std::string& server)> on_lost;
  };

  // `connector_run` names this run of the connector.
  ChatLink(directory::ServerInfo server, std::string connector_id, uint64_t connector_run, Listener listener,
           const rpc::Credentials& credentials = nullptr);

  const directory::ServerInfo& server() const { return server_; }
  void Start() { stream_.Start(); }
  // Ends the streams, and waits for the last callback of Subscribe.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // The connector's lease; 0 while the stream is down, when nobody can be added.
  uint64_t lease() const { return *standing_lease_; }
  // The run of the chat server; 0 before it was reached.
  uint64_t incarnation() const { return incarnation_; }
  bool lost() const { return state_ == State::kLost; }

  // The line for the sends of a loop. Called on that loop.
  std::shared_ptr<SendStream> SendsOf(net::Loop& loop) ABSL_LOCKS_EXCLUDED(mu_);

  // Unary calls; `done(absl::Status, Response)` runs on `loop`. `request_id`: Session::request_id.
  template <typename Done>
  void Add(net::Loop& loop, chat::v1::AddRequest request, const std::string& request_id, Done done) {
    rpc::CallUnary<chat::v1::AddResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Add(arguments...); },
        std::move(done), rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void Kick(net::Loop& loop, chat::v1::KickRequest request, const std::string& request_id, Done done) {
    rpc::CallUnary<chat::v1::KickResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Kick(arguments...); },
        std::move(done), rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void ListEvents(net::Loop& loop, chat::v1::ListEventsRequest request, const std::string& request_id,
                  Done done) {
    rpc::CallUnary<chat::v1::ListEventsResponse>(
        loop, std::move(request), [this](auto... arguments) { history_->async()->ListEvents(arguments...); },
        std::move(done), rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void Restore(net::Loop& loop, chat::v1::RestoreRequest request, Done done) {
    rpc::CallUnary<chat::v1::RestoreResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Restore(arguments...); },
        std::move(done), kRestoreDeadline);
  }

 private:
  enum class State { kNew, kUp, kDown, kLost };
  // The chat server answers when all connectors have told it what they held, which it waits for.
  static constexpr std::chrono::milliseconds kRestoreDeadline{5'000};

  void OnBatch(chat::v1::SubscribeResponse& batch);
  void OnEnd(const grpc::Status& status);

  const directory::ServerInfo server_;
  const std::string connector_id_;
  const Listener listener_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<chat::v1::ChatService::Stub> stub_;
  const std::unique_ptr<chat::v1::HistoryService::Stub> history_;
  Mutex mu_;
  std::vector<std::shared_ptr<SendStream>> sends_ ABSL_GUARDED_BY(mu_);  // By the index of the loop.
  std::atomic<uint64_t> lease_{0};                                       // To resume.
  // The same while the stream stands, otherwise 0. The lines for sends share it.
  const std::shared_ptr<std::atomic<uint64_t>> standing_lease_ = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> incarnation_{0};
  std::atomic<uint64_t> next_seq_{0};
  std::atomic<State> state_{State::kNew};
  rpc::Reachability reachability_;  // Used by the stream's callbacks alone.
  rpc::StreamKeeper<chat::v1::SubscribeRequest, chat::v1::SubscribeResponse> stream_;
};

}  // namespace hubbub::connector
