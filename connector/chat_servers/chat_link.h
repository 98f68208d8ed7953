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
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/history.pb.h"
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
  // Gives all calls to gRPC's library. Otherwise loops make them by themselves, if there are no credentials
  // and the chat server has an address instead of a name.
  bool grpc_library = false;
};

// The connection of this connector to one chat server: calls, and the Subscribe stream that is the
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

  // Unary calls; `done(absl::Status, Response)` runs on `loop`, as the call. `request_id`:
  // Session::request_id.
  template <typename Done>
  void Add(net::Loop& loop, const chat::v1::AddRequest& request, const std::string& request_id, Done done) {
    rpc::CallUnary<chat::v1::AddResponse>(loop, CallsOn(loop), kChatService + "Add", request, std::move(done),
                                          rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void Kick(net::Loop& loop, const chat::v1::KickRequest& request, const std::string& request_id, Done done) {
    rpc::CallUnary<chat::v1::KickResponse>(loop, CallsOn(loop), kChatService + "Kick", request,
                                           std::move(done), rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void ListEvents(net::Loop& loop, const chat::v1::ListEventsRequest& request, const std::string& request_id,
                  Done done) {
    rpc::CallUnary<chat::v1::ListEventsResponse>(loop, CallsOn(loop),
                                                 "/hubbub.chat.v1.HistoryService/ListEvents", request,
                                                 std::move(done), rpc::kUnaryDeadline, request_id);
  }
  template <typename Done>
  void Restore(net::Loop& loop, const chat::v1::RestoreRequest& request, Done done) {
    rpc::CallUnary<chat::v1::RestoreResponse>(loop, CallsOn(loop), kChatService + "Restore", request,
                                              std::move(done), kRestoreDeadline);
  }

 private:
  enum class State { kNew, kUp, kDown, kLost };
  static inline const std::string kChatService = "/hubbub.chat.v1.ChatService/";
  // The chat server answers when all connectors have told it what they held, which it waits for.
  static constexpr std::chrono::milliseconds kRestoreDeadline{5'000};

  // What it has on a loop.
  struct OnLoop {
    http2::OpenCall open;                     // Null until it is asked for, as the next ones.
    std::shared_ptr<http2::Channel> channel;  // Null if gRPC's library makes the calls.
    std::shared_ptr<SendStream> sends;
  };

  std::string NextSubscribe() const;
  bool OnMessage(std::string_view message);
  void OnBatch(chat::v1::SubscribeResponse& batch);
  void OnEnd(const absl::Status& status);
  // Makes calls on this loop.
  http2::OpenCall CallsOn(net::Loop& loop) ABSL_LOCKS_EXCLUDED(mu_);
  OnLoop& PartsOf(net::Loop& loop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  net::Loop& loop_;
  const directory::ServerInfo server_;
  const ChatLinkOptions options_;
  const Listener listener_;
  const std::shared_ptr<grpc::Channel> channel_;  // Null if loops make the calls themselves.
  Mutex mu_;
  std::vector<OnLoop> on_loops_ ABSL_GUARDED_BY(mu_);  // By the index of the loop.
  std::atomic<uint64_t> lease_{0};                     // To resume.
  // The same while the stream stands, otherwise 0. The lines for sends share it.
  const std::shared_ptr<std::atomic<uint64_t>> standing_lease_ = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> incarnation_{0};
  std::atomic<uint64_t> next_seq_{0};
  std::atomic<State> state_{State::kNew};
  rpc::Reachability reachability_;  // Loop-only.
  rpc::CallKeeper stream_;          // Loop-only.
};

}  // namespace hubbub::connector
