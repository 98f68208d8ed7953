#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/engine/engine_session.h"
#include "services/engine/lane.h"
#include "services/engine/query.h"
#include "services/net/connection.h"
#include "services/net/http_router.h"
#include "services/net/loop.h"
#include "services/net/seats.h"
#include "services/net/ticket.h"
#include "services/net/traffic.h"
#include "services/net/waiting.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

struct EngineOptions {
  std::string server_id;  // Ids of sessions name it.
  // Of clients that poll, and those of them that are one machine's (net::MachineOf); more are answered with
  // 503.
  int max_sessions = 100'000;
  int max_per_machine = 100'000;
  // The loops' counts of what waits for clients, which the listener has too: one for each loop.
  net::WaitingByLoop waiting = {};
  // As net::WebSocketRoute::check_bearer, for what opens a session and for its WebSockets; null: all are
  // taken.
  std::function<std::optional<std::string>(std::string_view token)> check_bearer = nullptr;
  SessionLimits limits = {};
  std::chrono::milliseconds tick{1'000};
};

// The protocol on a new session. Called on the loop of the session.
using MakeProtocol = std::function<std::unique_ptr<net::Protocol>(
    net::Loop& loop, net::Connection& connection, socketio::EngineVersion version)>;

// Engine.IO, protocols 3 and 4, at /socket.io/ of a listener: sessions over HTTP long-polling and WebSocket.
// A session lives on one loop, to which its requests are passed and its WebSocket is moved. Thread-safe. The
// loops outlive it; it outlives the listener.
class Engine {
 public:
  static constexpr std::string_view kPath = "/socket.io/";

  Engine(net::Loops& loops, EngineOptions options, MakeProtocol make);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // `handler` refers to this.
  void AddRoutes(net::HttpRouter& router);

  // Adds what has come and gone by polls.
  void AddTraffic(net::Traffic& sum) const;
  // Sessions now.
  int sessions() const;
  // From now on there are no new sessions, and those of clients that poll say goodbye; those with a WebSocket
  // do so when their listener says it.
  void Drain(std::string_view detail);
  // Waits until all sessions have ended, at most `timeout`. Not for use on a loop.
  void WaitForEnd(std::chrono::milliseconds timeout) const;

 private:
  using Opening = std::variant<net::HttpResponse, net::WebSocketOpening>;

  void OnRequest(net::Loop& loop, net::HttpRequest request, net::HttpReply reply);
  void OnHandshake(net::Loop& loop, const net::HttpRequest& request, const Query& query, Answer answer);
  Opening OnWebSocket(const net::HttpRequest& request);
  // The lane that a session of this id lives on; an error says why there is none here.
  std::variant<Lane*, net::HttpResponse> LaneOf(std::string_view sid);
  std::shared_ptr<EngineSession> NewSession(Lane& lane, socketio::EngineVersion version, std::string peer,
                                            std::optional<net::Ticket> seat);
  Lane& LaneAt(net::Loop& loop) { return *lanes_[static_cast<size_t>(loop.index())]; }

  const EngineOptions options_;
  const std::string server_;
  const MakeProtocol make_;
  const std::shared_ptr<net::Seats> seats_;   // Of clients that poll.
  std::vector<std::shared_ptr<Lane>> lanes_;  // By Loop::index.
  std::atomic<bool> draining_{false};
};

}  // namespace hubbub::engine
