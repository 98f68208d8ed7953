// Batches of messages of 64 bytes, by a server of its own whose commits wait for the disk. Threads are
// connections, each with a slot of its own. TMPDIR says where the server's files are: not in memory.
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "chat/store/postgres_store.h"
#include "chat/store/testing/postgres_server.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

PostgresServer* Server() {
  static const std::unique_ptr<PostgresServer> server =
      PostgresServer::Start({.fsync = true, .settings = {}});
  return server.get();
}

std::unique_ptr<Store> Open(int slot) {
  if (Server() == nullptr) return nullptr;
  StoreOptions options;
  options.url = Server()->url();
  auto store = OpenPostgresStore(options);
  if (!store.ok()) return nullptr;
  StoredServer run;
  run.incarnation = static_cast<uint64_t>(slot) + 1;
  run.id = fmt::format("chat-{}", slot);
  run.history = "durable";
  if (!(*store)->Register(run).ok() || !(*store)->Claim(run.incarnation, {slot}, 0).ok()) return nullptr;
  return *std::move(store);
}

void Append(benchmark::State& state) {
  const int slot = state.thread_index();
  const auto store = Open(slot);
  if (store == nullptr) {
    state.SkipWithError("there is no store");
    return;
  }
  LoggedEvent event;
  event.room = fmt::format("room {}", slot);
  event.sender = "somebody";
  event.id = "0123456789abcdef";
  event.content = std::string(64, 'x');
  AppendBatch batch;
  batch.slots = {{slot, 1}};
  batch.events.assign(static_cast<size_t>(state.range(0)), {slot, event});
  const auto heads = store->Heads({event.room});
  int64_t next = heads.ok() ? heads->front().head + 1 : 1;
  for (auto _ : state) {
    for (auto& entry : batch.events) entry.event.offset = next++;
    const auto answer = store->Append(batch);
    if (!answer.ok() || answer->slots.empty()) {
      state.SkipWithError("not appended");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(Append)->ArgName("batch")->Arg(1)->Arg(32)->Arg(256)->Threads(1)->Threads(3)->UseRealTime()->Unit(
    benchmark::kMicrosecond);

}  // namespace
}  // namespace hubbub::chat
