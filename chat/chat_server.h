#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "chat/chat_servers.h"
#include "chat/chat_service.h"
#include "chat/leases.h"
#include "chat/room_table.h"
#include "services/directory.h"
#include "services/rpc/server.h"

namespace hubbub::chat {

struct ChatServerOptions {
  std::string id;
  std::string listen_host = "127.0.0.1";
  uint16_t listen_port = 0;  // 0: any free one.
  bool reflection = true;
  rpc::ServerExtras extras = {};
  RoomTable::Options rooms;
  Leases::Options leases;
};

// A whole chat server in one object, for main and for tests: builds the parts in order, and ends them in
// reverse. Tick and Drain are for one thread; the rest is thread-safe.
class ChatServer {
 public:
  // Listens for gRPC; the error says what could not be had. Whether `servers` has this server is the caller's
  // business: if it has not, all rooms belong to others.
  static absl::StatusOr<std::unique_ptr<ChatServer>> Start(const ChatServerOptions& options,
                                                           std::shared_ptr<const ServerList> servers);
  ~ChatServer() { Drain(std::chrono::milliseconds(0)); }

  uint16_t port() const { return server_->port(); }
  size_t rooms() const { return rooms_.rooms(); }

  void Update(std::shared_ptr<const ServerList> servers) { others_.Update(std::move(servers)); }
  // What is due by time: old events, rooms without anything, leases whose grace is over. About once a second.
  void Tick();
  // Refuses what comes, sends what was accepted, ends the streams; what is still there after `timeout` is
  // cancelled. Once; the destructor does it too.
  void Drain(std::chrono::milliseconds timeout);

 private:
  ChatServer(const ChatServerOptions& options, std::shared_ptr<const ServerList> servers)
      : others_(options.id, std::move(servers)),
        rooms_(options.rooms),
        leases_(options.id, rooms_, options.leases),
        service_(options.id, rooms_, leases_, others_.ownership()) {}

  ChatServers others_;
  RoomTable rooms_;
  Leases leases_;
  ChatService service_;
  std::unique_ptr<rpc::Server> server_;
  bool drained_ = false;
};

}  // namespace hubbub::chat
