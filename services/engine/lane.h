#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/base/string_map.h"
#include "services/net/client_clock.h"
#include "services/net/loop.h"
#include "services/net/socket.h"
#include "services/net/traffic.h"
#include "services/net/waiting.h"

namespace hubbub::engine {

class EngineSession;

// The sessions of one loop, and the timer that ticks them all. Loop-only. Shared by its sessions.
class Lane final : public net::WaitingClients, public std::enable_shared_from_this<Lane> {
 public:
  // `waiting`: the loop's.
  Lane(net::Loop& loop, std::chrono::milliseconds tick, std::shared_ptr<net::Waiting> waiting)
      : loop_(loop), waiting_(std::move(waiting)), clock_(tick), timer_(loop.executor()) {}

  net::Loop& loop() { return loop_; }
  // The time by which clients are judged (ClientClock).
  net::Clock::time_point Now() const {
    loop_.AssertHere();
    return clock_.At(net::Clock::now());
  }

  void Start();
  void Add(const std::string& sid, const std::shared_ptr<EngineSession>& session);
  // Null if there is none.
  std::shared_ptr<EngineSession> Find(std::string_view sid) const;
  void Erase(const std::string& sid);
  // The sessions of clients that poll say goodbye to them (Protocol::OnShutdown).
  void Shutdown(const std::string& detail);
  // Ends all sessions at once.
  void Stop();
  // Sessions, for any thread.
  int sessions() const { return count_; }
  // What has come and gone by polls; WebSockets are counted by their listener.
  net::TrafficCounters& traffic() {
    loop_.AssertHere();
    return traffic_;
  }
  // So many bytes wait for a client's polls, instead of `before` (net::Waiting::Change).
  void Wait(size_t before, size_t now);
  std::vector<std::shared_ptr<net::WaitingClient>> AllWaiting() override;
  void CountClose(net::CloseReason reason) { traffic().closes[static_cast<size_t>(reason)].Add(); }
  // For any thread.
  const net::TrafficCounters& counted() const { return traffic_; }

 private:
  void StartTicking();

  net::Loop& loop_;
  const std::shared_ptr<net::Waiting> waiting_;
  net::ClientClock clock_ ABSL_GUARDED_BY(loop_);
  net::Timer timer_ ABSL_GUARDED_BY(loop_);
  bool stopped_ ABSL_GUARDED_BY(loop_) = false;
  StringMap<std::shared_ptr<EngineSession>> sessions_ ABSL_GUARDED_BY(loop_);
  std::atomic<int> count_{0};
  net::TrafficCounters traffic_;
};

}  // namespace hubbub::engine
