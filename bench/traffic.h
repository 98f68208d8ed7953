#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/checker.h"
#include "bench/histogram.h"
#include "bench/options.h"
#include "bench/schedule.h"

namespace hubbub::bench {

// Who sends what and when, and whether it arrives: all of a load but the sockets. Thread-compatible.
class Traffic {
 public:
  // `send` sends a text for a client.
  using SendText = std::function<void(int client, std::string_view text)>;
  Traffic(const Options& options, SendText send);

  static int RoomOf(int client, const Options& options) { return client % options.rooms; }

  // Sending begins now; sends that are due from `measure_ns` to before `end_ns` count for the latencies.
  void Start(int64_t now_ns, int64_t measure_ns, int64_t end_ns);
  // Sends what is due, if sending goes by the clock.
  void SendDue(int64_t now_ns);
  std::optional<int64_t> NextAt() const { return schedule_ ? schedule_->NextAt() : std::nullopt; }
  // Nobody sends any more.
  void Stop() { stopped_ = true; }

  void OnAnswer(int client, int64_t now_ns);
  void OnDelivery(int client, std::string_view body, int64_t now_ns);

  // True when all that was sent has been answered and has arrived everywhere.
  bool Complete() const { return answered_ == sent_ && delivered_ >= expected_; }
  // Counts what is missing. Call it once, at the end.
  const Faults& Finish();

  uint64_t sent() const { return sent_; }
  uint64_t answered() const { return answered_; }
  uint64_t deliveries() const { return delivered_; }
  uint64_t expected() const { return expected_; }
  const Histogram& latency_ns() const { return latency_ns_; }
  // How much later than due sends went out: what this program itself adds to the latencies.
  const Histogram& lateness_ns() const { return lateness_ns_; }

 private:
  struct Sender {
    std::vector<int64_t> due_ns;  // By sequence number.
    uint32_t answered = 0;
    uint32_t echoed = 0;  // Own copies that have come.
  };

  int MembersOf(int room) const;
  void Send(int client, int64_t due_ns);
  void FillWindow(int client, int64_t now_ns);

  const Options& options_;
  SendText send_;
  std::vector<Sender> senders_;  // By client; senders come first.
  Checker checker_;
  std::optional<Schedule> schedule_;
  int64_t measure_ns_ = 0;
  int64_t end_ns_ = 0;
  bool stopped_ = false;
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  uint64_t delivered_ = 0;
  uint64_t expected_ = 0;
  Histogram latency_ns_;
  Histogram lateness_ns_;
  std::string text_;
};

}  // namespace hubbub::bench
