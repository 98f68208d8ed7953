#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "chat/rooms/room_table.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// Takes events and forgets them: what is measured is the room, not the queue behind it.
class Sink final : public Subscriber {
 public:
  explicit Sink(uint64_t lease) : lease_(lease) {}
  uint64_t lease() const override { return lease_; }
  const std::string& connector() const override { return connector_; }
  bool ended() const override { return false; }
  void Push(EventPtr event, Gather*) override { benchmark::DoNotOptimize(event); }

 private:
  const uint64_t lease_;
  const std::string connector_ = "connector";
};

// One thread sends to 1000 rooms in turn; each has 30 members, spread over state.range(0) subscribers.
void BM_Send(benchmark::State& state) {
  RoomTable table({});
  std::vector<std::shared_ptr<Sink>> sinks;
  for (int64_t i = 0; i < state.range(0); ++i) sinks.push_back(std::make_shared<Sink>(i + 1));
  std::vector<std::string> rooms;
  for (int r = 0; r < 1000; ++r) {
    rooms.push_back(fmt::format("room-{}", r));
    for (uint64_t m = 0; m < 30; ++m) {
      (void)table.Add(rooms.back(), fmt::format("user-{}", m), {sinks[m % sinks.size()], m + 1, ""}, "");
    }
  }
  const std::string content(100, 'x');
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Send(rooms[next++ % rooms.size()], "user-1", "*", content));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Send)->Arg(1)->Arg(3);

// A user comes into a room of state.range(0) and leaves it again.
void BM_AddKick(benchmark::State& state) {
  RoomTable table({});
  const auto sink = std::make_shared<Sink>(1);
  for (int64_t m = 0; m < state.range(0); ++m) {
    (void)table.Add("room", fmt::format("user-{}", m), {sink, static_cast<uint64_t>(m + 1), ""}, "");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Add("room", "visitor", {sink, 1'000'000, ""}, ""));
    benchmark::DoNotOptimize(table.KickPlace("room", "visitor", {1, 1'000'000}));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AddKick)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace hubbub::chat
