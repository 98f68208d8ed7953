#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "chat/chat_log.h"
#include "chat/cluster/chat_cluster.h"
#include "chat/cluster/hand_over.h"
#include "chat/cluster/peer_service.h"
#include "chat/connectors/chat_service.h"
#include "chat/connectors/leases.h"
#include "chat/history_service.h"
#include "chat/rooms/room_table.h"
#include "chat/store/open_store.h"
#include "services/base/mutex.h"
#include "services/directory/directory.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"

namespace hubbub::chat {

struct ChatServerOptions {
  std::string id;
  std::string listen_host = "127.0.0.1";
  uint16_t listen_port = 0;  // 0: any free one.
  // Where other servers reach this one, besides the port.
  std::string host = "127.0.0.1";
  // The store that decides which chat server has which rooms. Without a URL this server must be alone.
  StoreOptions store = {};
  // What is said is kept in the store, if there is one, before anybody sees it. Otherwise rooms are in memory
  // alone.
  bool durable = true;
  Retention::Options retention = {};
  bool reflection = true;
  rpc::ServerExtras extras = {};
  RoomTable::Options rooms;
  Leases::Options leases;
  // How long the rooms of a lost chat server wait for connectors that do not report what they held there,
  // such as one that hangs. A report that comes later is taken in too.
  int64_t recovery_limit_ms = 700;
};

// A whole chat server in one object, for main and for tests: builds the parts in order, each from those
// before it, and ends them in reverse. Update, Tick and Drain are for one thread; the rest is thread-safe.
//
// Recovery, handing slots over and the pause fence are looked after 20 times a second by a thread of this
// object. Until the store was reached once, the health service says that the server does not serve; later it
// tells of the store alone (kStorePart), because rooms go on without it. Tick is not done there, because it
// may take longer than the fence takes for a stop.
class ChatServer {
 public:
  // Listens for gRPC and goes to the store; the error says what could not be had. While `servers` does not
  // list this server, it owns nothing.
  static absl::StatusOr<std::unique_ptr<ChatServer>> Start(
      const ChatServerOptions& options, const std::shared_ptr<const directory::ServerList>& servers);
  ~ChatServer() { Drain(std::chrono::milliseconds(0)); }

  uint16_t port() const { return server_->port(); }
  size_t rooms() const { return rooms_.rooms(); }
  // For metrics.
  size_t recent_bytes() const { return rooms_.recent_bytes(); }
  RoomTable::Counts room_counts() const { return rooms_.counts(); }
  Leases::Counts lease_counts() const { return leases_.counts(); }
  // Null: history is not durable.
  const ChatLog* log() const { return log_.get(); }
  // Sends that wait for the store.
  size_t waiting_sends() const { return rooms_.lines().budget().sends(); }
  SlotKeeper::Counts store_counts() const { return cluster_.keeper().counts(); }
  // How many slots this server owns.
  int slots() const { return cluster_.slots().owned(); }
  // Set once this server must not go on: another process has its id.
  std::optional<absl::Status> failure() const { return cluster_.failure(); }

  void Update(const std::shared_ptr<const directory::ServerList>& servers) { cluster_.Update(servers); }
  // Forgets old events and empty rooms, and ends leases whose grace is over. Call it about once a second.
  void Tick();
  // Gives all rooms to other chat servers, for half of the time at most, and waits as long for one that could
  // have them if people are in them; then refuses new calls, sends what was accepted, and ends the streams;
  // what still runs after `timeout` is cancelled. Does it once; the destructor does it too, but
  // gives no rooms away.
  void Drain(std::chrono::milliseconds timeout);

 private:
  explicit ChatServer(const ChatServerOptions& options);

  // Runs once every kStep, on the thread of this object.
  void Step();
  // The rooms of these slots are another server's.
  void ForgetSlots(const std::vector<int>& slots);
  // Others have taken the slots of this server, or may have.
  void ForgetAll();
  // True if all slots have gone to other servers, or if there is none that could have them and nobody is in a
  // room here, or the whole suite seems to end.
  bool HasGivenAll() const;
  // Gives all rooms to other chat servers, as far as `timeout` allows.
  void GiveRoomsAway(std::chrono::milliseconds timeout);
  // Rooms that had to stay when this server drained.
  void SayWhatStays() const;

  // Tells the health service what it should say.
  void TellHealth() ABSL_LOCKS_EXCLUDED(health_mu_);

  static constexpr std::chrono::milliseconds kStep{50};
  // The name by which the health service knows the store.
  static constexpr char kStorePart[] = "hubbub.store";

  std::stop_source ending_;  // Stopped by Drain: no store is opened any more.
  ChatCluster cluster_;
  const std::unique_ptr<ChatLog> log_;  // Null: history is not durable.
  RoomTable rooms_;
  Leases leases_;
  PeerService peer_service_;
  HandOver hand_over_;
  ChatService service_;
  HistoryService history_service_;
  std::atomic<bool> draining_{false};
  rpc::StatusService status_;
  std::unique_ptr<rpc::Server> server_;
  bool drained_ = false;
  bool has_store_ = false;
  Mutex health_mu_;
  // What the health service was told.
  bool reached_ ABSL_GUARDED_BY(health_mu_) = false;
  std::optional<bool> store_answers_ ABSL_GUARDED_BY(health_mu_);
  std::jthread thread_;
};

}  // namespace hubbub::chat
