#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/send_stream.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/rpc/reachability.h"
#include "services/rpc/stream_keeper.h"
#include "services/rpc/unary.h"

namespace hubbub::connector {

// This connector's line to one chat server: the channel, and the Subscribe stream that is its lease there.
// Thread-safe. Owned by ChatLinks and by the calls under way.
class ChatLink {
 public:
  using Events = google::protobuf::RepeatedPtrField<chat::v1::Event>;
  // Called on gRPC's threads, one at a time, in the order in which things happened.
  struct Listener {
    // Of a batch. May be moved from.
    std::function<void(Events&)> on_events;
    // The stream stands. `incarnation`: the run of the chat server. `fresh`: under another lease than before,
    // or the first one: the chat server knows none of this connector's places.
    std::function<void(uint64_t incarnation, bool fresh)> on_up;
    // Neither the stream nor a new one can be had. Until on_up, that may last.
    std::function<void()> on_lost;
  };

  // `connector_run` names this run of the connector.
  ChatLink(ServerInfo server, std::string connector_id, uint64_t connector_run, Listener listener);

  const ServerInfo& server() const { return server_; }
  void Start() { stream_.Start(); }
  // Ends the streams, and waits for the last callback of Subscribe.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // 0 while the stream is down: then nobody can be added.
  uint64_t lease() const { return state_ == State::kUp ? lease_.load() : 0; }
  // The run of the chat server; 0 before it was reached.
  uint64_t incarnation() const { return incarnation_; }
  bool lost() const { return state_ == State::kLost; }

  // The loop's line of sends. On that loop alone.
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

  const ServerInfo server_;
  const std::string connector_id_;
  const Listener listener_;
  const std::shared_ptr<chat::v1::ChatService::Stub> stub_;
  Mutex mu_;
  std::vector<std::shared_ptr<SendStream>> sends_ ABSL_GUARDED_BY(mu_);  // By the index of the loop.
  std::atomic<uint64_t> lease_{0};
  std::atomic<uint64_t> incarnation_{0};
  std::atomic<uint64_t> next_seq_{0};
  std::atomic<State> state_{State::kNew};
  rpc::Reachability reachability_;  // Of the stream's callbacks.
  rpc::StreamKeeper<chat::v1::SubscribeRequest, chat::v1::SubscribeResponse> stream_;
};

}  // namespace hubbub::connector
