#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "chat/chat_service.h"
#include "chat/hand_over.h"
#include "chat/leases.h"
#include "chat/owner_table.h"
#include "chat/pause_fence.h"
#include "chat/peer_links.h"
#include "chat/peer_service.h"
#include "chat/recovery.h"
#include "chat/room_table.h"
#include "services/directory.h"
#include "services/metrics/counter.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"

namespace hubbub::chat {

struct ChatServerOptions {
  std::string id;
  std::string listen_host = "127.0.0.1";
  uint16_t listen_port = 0;  // 0: any free one.
  bool reflection = true;
  rpc::ServerExtras extras = {};
  RoomTable::Options rooms;
  Leases::Options leases;
  // After the loss of a chat server, its rooms wait so long for connectors that do not tell what they held,
  // such as one that hangs. Whoever tells later is taken in all the same.
  int64_t recovery_limit_ms = 700;
};

// A whole chat server in one object, for main and for tests: builds the parts in order, and ends them in
// reverse. A thread of its own looks after what is due at once. Update, Tick and Drain are for one thread;
// the rest is thread-safe.
class ChatServer {
 public:
  // Listens for gRPC; the error says what could not be had. Whether `servers` has this server is the caller's
  // business: if it has not, all rooms belong to others.
  static absl::StatusOr<std::unique_ptr<ChatServer>> Start(const ChatServerOptions& options,
                                                           const std::shared_ptr<const ServerList>& servers);
  ~ChatServer() { Drain(std::chrono::milliseconds(0)); }

  uint16_t port() const { return server_->port(); }
  size_t rooms() const { return rooms_.rooms(); }
  // For metrics.
  size_t recent_bytes() const { return rooms_.recent_bytes(); }
  RoomTable::Counts room_counts() const { return rooms_.counts(); }
  Leases::Counts lease_counts() const { return leases_.counts(); }
  // How often another chat server was found to be out of reach, or restarted.
  uint64_t servers_lost() const { return servers_lost_.value(); }

  void Update(const std::shared_ptr<const ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // What is due by time: old events, rooms without anything, leases whose grace is over. About once a second.
  void Tick();
  // Gives all rooms to other chat servers, then refuses what comes, sends what was accepted, and ends the
  // streams; what is still there after `timeout` is cancelled. Once; the destructor does it too, but gives no
  // rooms away.
  void Drain(std::chrono::milliseconds timeout);

 private:
  ChatServer(const ChatServerOptions& options, const std::shared_ptr<const ServerList>& servers);

  RoomTable::Options RoomOptions(const ChatServerOptions& options);
  Leases::Options LeaseOptions(const ChatServerOptions& options);
  // OK if this server may have a room that is not here.
  absl::Status Claim(std::string_view room) const;
  absl::Status Ready() const;
  bool AllTold(const std::string& lost, const StringSet& told) const ABSL_LOCKS_EXCLUDED(mu_);
  // Once every kStep, on the thread of this object.
  void Step();
  // This process was stopped for long: finds out whether others have taken its rooms.
  void AfterPause();

  static constexpr std::chrono::milliseconds kStep{50};
  // Within this, every connector that can reach this server has subscribed to it.
  static constexpr int64_t kKnownAfterMs = 3'000;

  const std::string id_;
  mutable Mutex mu_;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);
  const int64_t started_ms_;
  Counter servers_lost_;
  PauseFence fence_;
  OwnerTable owners_;
  Recovery recovery_;
  RoomTable rooms_;
  Leases leases_;
  PeerService peer_service_;
  PeerLinks links_;
  HandOver hand_over_;
  ChatService service_;
  std::atomic<bool> draining_{false};
  rpc::StatusService status_;
  std::unique_ptr<rpc::Server> server_;
  bool drained_ = false;
  std::jthread thread_;
};

}  // namespace hubbub::chat
