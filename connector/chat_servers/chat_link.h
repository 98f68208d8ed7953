#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/chat_servers/send_stream.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "hubbub/chat/v1/history.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/directory/directory.h"
#include "services/http2/call.h"
#include "services/http2/channel.h"
#include "services/net/loop.h"
#include "services/rpc/call_keeper.h"
#include "services/rpc/channel.h"
#include "services/rpc/reachability.h"
#include "services/rpc/unary.h"

namespace hubbub::connector {

// Who the connector is to chat servers, and by what it speaks to them.
struct ChatLinkOptions {
  std::string connector_id;
  uint64_t connector_run = 0;  // Names this run of the connector.
  rpc::Credentials credentials = nullptr;
  // Gives the streams of events and sends to gRPC's library. Otherwise loops hold them by themselves, if
  // there are no credentials and the chat server has an address instead of a name.
  bool grpc_streams = false;
};

// The connection of this connector to one chat server: the channel, and the Subscribe stream that is the
// connector's lease there. Thread-safe. Owned by ChatLinks, and by calls until they end.
class ChatLink {
 public:
  using Events = google::protobuf::RepeatedPtrField<chat::v1::Event>;
  // Called on the link's loop, in the order in which things happened. `server`: the id of the chat server.
  struct Listener {
    // The events of a batch, which may be moved from.
    std::function<void(const std::string& server, Events& events)> on_events;
    // The stream stands. `incarnation`: the run of the chat server. `fresh`: the lease is the first one, or
    // another than before: then the chat server knows none of this connector's places.
    std::function<void(const std::string& server, uint64_t incarnation, bool fresh)> on_up;
    // The stream broke, and no new one could be opened. That lasts until on_up.
    std::function<void(const std::string& server)> on_lost;
  };

  // `loop` holds the stream of events. It must run until Stop has returned.
  ChatLink(net::Loop& loop, directory::ServerInfo server, ChatLinkOptions options, Listener listener);

  const directory::ServerInfo& server() const { return server_; }
  // Not on a loop, as Stop.
  void Start();
  // Ends the streams, and waits for the last callback of the stream of events.
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

  std::string NextSubscribe() const;
  void OnMessage(std::string_view message);
  void OnBatch(chat::v1::SubscribeResponse& batch);
  void OnEnd(const absl::Status& status);
  // Opens streams on this loop.
  http2::OpenCall StreamsOn(net::Loop& loop) ABSL_LOCKS_EXCLUDED(mu_);

  net::Loop& loop_;
  const directory::ServerInfo server_;
  const ChatLinkOptions options_;
  const Listener listener_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<chat::v1::ChatService::Stub> stub_;
  const std::unique_ptr<chat::v1::HistoryService::Stub> history_;
  Mutex mu_;
  // By the index of the loop, as the next ones. Without grpc_streams: the connections of the loops.
  std::vector<std::shared_ptr<http2::Channel>> channels_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<SendStream>> sends_ ABSL_GUARDED_BY(mu_);
  std::atomic<uint64_t> lease_{0};  // To resume.
  // The same while the stream stands, otherwise 0. The lines for sends share it.
  const std::shared_ptr<std::atomic<uint64_t>> standing_lease_ = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> incarnation_{0};
  std::atomic<uint64_t> next_seq_{0};
  std::atomic<State> state_{State::kNew};
  rpc::Reachability reachability_;  // Loop-only.
  rpc::CallKeeper stream_;          // Loop-only.
};

}  // namespace hubbub::connector
