#include "bench/traffic.h"

#include <algorithm>
#include <utility>

#include "bench/clock.h"
#include "bench/text.h"

namespace hubbub::bench {

// Client i is in room i modulo the number of rooms, so the first `rooms * senders` clients are the senders.
Traffic::Traffic(const Options& options, SendText send)
    : options_(options),
      send_(std::move(send)),
      senders_(static_cast<size_t>(options.rooms) * static_cast<size_t>(options.senders)),
      checker_(static_cast<size_t>(options.clients), static_cast<size_t>(options.senders)) {}

int Traffic::MembersOf(int room) const {
  return options_.clients / options_.rooms + (room < options_.clients % options_.rooms ? 1 : 0);
}

void Traffic::Start(int64_t now_ns, int64_t measure_ns, int64_t end_ns) {
  measure_ns_ = measure_ns;
  end_ns_ = end_ns;
  if (options_.rate > 0) {
    schedule_.emplace(now_ns, end_ns, options_.rate);
  } else if (options_.window > 0) {
    for (size_t client = 0; client < senders_.size(); ++client) FillWindow(static_cast<int>(client), now_ns);
  }
}

void Traffic::SendDue(int64_t now_ns) {
  while (schedule_ && !stopped_) {
    const auto due = schedule_->TakeDue(now_ns);
    if (!due) return;
    const Turn turn = TurnOf(due->number, options_.rooms, options_.senders);
    Send(turn.room + turn.sender * options_.rooms, due->at_ns);
    if (due->at_ns >= measure_ns_) lateness_ns_.Record(static_cast<uint64_t>(NowNs() - due->at_ns));
  }
}

void Traffic::Send(int client, int64_t due_ns) {
  auto& due = senders_[static_cast<size_t>(client)].due_ns;
  text_.clear();
  WriteText(static_cast<uint32_t>(client), static_cast<uint32_t>(due.size()),
            static_cast<size_t>(options_.text_bytes), text_);
  due.push_back(due_ns);
  ++sent_;
  expected_ += static_cast<uint64_t>(MembersOf(RoomOf(client, options_)));
  send_(client, text_);
}

void Traffic::FillWindow(int client, int64_t now_ns) {
  if (options_.window == 0 || stopped_) return;
  const Sender& sender = senders_[static_cast<size_t>(client)];
  const size_t done = std::min(sender.answered, sender.echoed);
  while (sender.due_ns.size() < done + static_cast<size_t>(options_.window)) Send(client, now_ns);
}

void Traffic::OnAnswer(int client, int64_t now_ns) {
  ++answered_;
  ++senders_[static_cast<size_t>(client)].answered;
  FillWindow(client, now_ns);
}

void Traffic::OnDelivery(int client, std::string_view body, int64_t now_ns) {
  const auto found = FindText(body, static_cast<size_t>(options_.text_bytes));
  if (!found) return checker_.SawStray();
  const int from = static_cast<int>(found->sender);
  if (found->sender >= senders_.size() || RoomOf(from, options_) != RoomOf(client, options_))
    return checker_.SawStray();
  Sender& sender = senders_[found->sender];
  if (found->number >= sender.due_ns.size()) return checker_.SawStray();
  if (!found->whole) checker_.SawDamaged();
  const auto among = static_cast<size_t>(from / options_.rooms);
  if (!checker_.Saw(static_cast<size_t>(client), among, found->number)) return;
  ++delivered_;
  const int64_t due = sender.due_ns[found->number];
  if (due >= measure_ns_ && due < end_ns_)
    latency_ns_.Record(static_cast<uint64_t>(std::max<int64_t>(0, now_ns - due)));
  if (from == client) {
    ++sender.echoed;
    FillWindow(client, now_ns);
  }
}

const Faults& Traffic::Finish() {
  for (int client = 0; client < options_.clients; ++client) {
    for (int sender = 0; sender < options_.senders; ++sender) {
      const int from = RoomOf(client, options_) + sender * options_.rooms;
      checker_.Finish(static_cast<size_t>(client), static_cast<size_t>(sender),
                      static_cast<uint32_t>(senders_[static_cast<size_t>(from)].due_ns.size()));
    }
  }
  return checker_.faults();
}

}  // namespace hubbub::bench
