#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "chat/connectors/event_proto.h"
#include "chat/connectors/event_queue.h"

namespace hubbub::chat {
namespace {

EventPtr Message(uint64_t offset) {
  auto event = std::make_shared<Event>();
  event->room = std::string("room-17");
  event->epoch = 7;
  event->offset = offset;
  event->user = std::string("ann");
  event->target = std::string(kEverybody);
  event->content = std::string(64, 'x');
  return event;
}

// What an outbox does with each event but for its lock and gRPC: queues it, takes it in a batch of
// state.range(0), and has it as the message that goes out.
void BM_OutboxBatch(benchmark::State& state) {
  EventQueue queue({});
  v1::SubscribeResponse response;
  std::string bytes;
  const EventPtr event = Message(1);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) benchmark::DoNotOptimize(queue.Push(event));
    const EventQueue::Batch batch = queue.Take();
    response.Clear();
    for (const EventPtr& one : batch.events) ToProto(*one, response.add_events());
    response.SerializeToString(&bytes);
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_OutboxBatch)->Arg(1)->Arg(8)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace hubbub::chat
