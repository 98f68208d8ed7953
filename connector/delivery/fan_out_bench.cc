#include "connector/testing/fan_out.h"

#include "benchmark/benchmark.h"

namespace hubbub::connector {
namespace {

// A batch of state.range(1) messages of one room to state.range(0) sessions of a loop, without their sockets.
void BM_Deliver(benchmark::State& state) {
  const auto sessions = static_cast<size_t>(state.range(0));
  const auto messages = static_cast<size_t>(state.range(1));
  net::Loops loops(1);
  client::OnLoop(loops.at(0), [&] {
    FanOut out(loops.at(0), sessions);
    for (auto _ : state) {
      state.PauseTiming();
      const auto batch = out.Batch(messages);
      state.ResumeTiming();
      out.Deliver(batch);
    }
  });
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * sessions * messages));
}
BENCHMARK(BM_Deliver)->Args({5, 1})->Args({5, 8})->Args({50, 1})->Args({50, 32})->Args({1000, 8});

}  // namespace
}  // namespace hubbub::connector
