#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "services/net/client_clock.h"
#include "services/net/connection.h"
#include "services/net/loop.h"
#include "services/net/socket.h"
#include "services/net/traffic.h"
#include "services/net/waiting.h"

namespace hubbub::net {

class Arrival;
class SocketConnection;

// The clients of one loop, and the timer that ticks them all. Loop-only. Shared by its clients.
class ConnectionSet final : public WaitingClients, public std::enable_shared_from_this<ConnectionSet> {
 public:
  // `waiting`: the loop's.
  ConnectionSet(Loop& loop, const Patience& patience, std::shared_ptr<Waiting> waiting)
      : loop_(loop),
        patience_(patience),
        waiting_(std::move(waiting)),
        clock_(patience.tick),
        timer_(loop.executor()) {}

  Loop& loop() { return loop_; }
  const Patience& patience() const { return patience_; }
  // The time by which clients are judged (ClientClock).
  Clock::time_point Now() const {
    loop_.AssertHere();
    return clock_.At(Clock::now());
  }
  // The counters may be read on any thread.
  TrafficCounters& traffic() { return traffic_; }
  // True once the listener has ended: no further client may start.
  bool ended() const {
    loop_.AssertHere();
    return ended_;
  }
  void Insert(Arrival* arrival) {
    loop_.AssertHere();
    arrivals_.insert(arrival);
  }
  // An arrival may end after its loop, on the thread that destroys the loop.
  void Erase(Arrival* arrival) ABSL_NO_THREAD_SAFETY_ANALYSIS { arrivals_.erase(arrival); }
  void Insert(std::shared_ptr<SocketConnection> connection);
  void Erase(const std::shared_ptr<SocketConnection>& connection);
  void Start();
  // The connection writes its queue when this turn of the loop is over, so that everything that the turn
  // sends to a client leaves in one write. Call it at most once in a turn for each connection.
  void WriteSoon(std::shared_ptr<SocketConnection> connection);
  // So many bytes wait for a client whose socket takes no more, instead of `before` (Waiting::Change). A
  // payload that several clients wait for counts for each.
  void Wait(size_t before, size_t now) {
    loop_.AssertHere();
    waiting_->Change(before, now);
  }
  std::vector<std::shared_ptr<WaitingClient>> AllWaiting() override;
  // This server drains: clients without a protocol become guests, so that they get an answer but no place.
  void MakeArrivalsGuests();
  // The protocols of up to `count` connections that are not closing yet say goodbye (Protocol::OnShutdown).
  void CloseSome(size_t count, const std::string& detail);
  void AbortAll();

 private:
  void StartTicking();

  Loop& loop_;
  const Patience patience_;
  const std::shared_ptr<Waiting> waiting_;
  ClientClock clock_ ABSL_GUARDED_BY(loop_);
  TrafficCounters traffic_;
  Timer timer_ ABSL_GUARDED_BY(loop_);
  bool ended_ ABSL_GUARDED_BY(loop_) = false;
  absl::flat_hash_set<Arrival*> arrivals_ ABSL_GUARDED_BY(loop_);
  // Owns each connection until its end: no operation owns a connection that neither reads nor writes.
  absl::flat_hash_set<std::shared_ptr<SocketConnection>> connections_ ABSL_GUARDED_BY(loop_);
  // The connections that WriteSoon has named, and those whose Write runs in this turn.
  std::vector<std::shared_ptr<SocketConnection>> due_ ABSL_GUARDED_BY(loop_);
  std::vector<std::shared_ptr<SocketConnection>> writing_ ABSL_GUARDED_BY(loop_);
};

}  // namespace hubbub::net
