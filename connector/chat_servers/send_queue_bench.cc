#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "connector/chat_servers/send_queue.h"

namespace hubbub::connector {
namespace {

using chat::v1::ChainedSend;

// As RoomSends makes it of a client's request.
std::shared_ptr<ChainedSend> Send(const std::string& content) {
  auto send = std::make_shared<ChainedSend>();
  send->mutable_send()->set_room("a room with a name of usual length");
  send->mutable_send()->set_from("ann");
  send->mutable_send()->set_target("*");
  send->mutable_send()->set_content(content);
  send->set_chain(4711);
  send->set_lease(4503599627370497);
  send->set_session(4503599627370498);
  return send;
}

// Sends that wait for their answers leave on a line: into its queue, and from there into bytes as gRPC writes
// them.
void BM_Leave(benchmark::State& state) {
  std::vector<std::shared_ptr<ChainedSend>> sends;
  for (int64_t i = 0; i < state.range(0); ++i)
    sends.push_back(Send(std::string(static_cast<size_t>(state.range(1)), 'x')));
  SendQueue queue;
  std::string bytes;
  for (auto _ : state) {
    for (const auto& send : sends) queue.Add(send);
    while (const auto message = queue.Take()) message->request().SerializeToString(&bytes);
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Leave)->ArgNames({"sends", "bytes"})->ArgsProduct({{1, 16}, {64, 1024, 16384}});

}  // namespace
}  // namespace hubbub::connector
