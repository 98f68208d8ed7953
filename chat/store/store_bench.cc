// Batches of messages of 64 bytes. `full`: 1 waits for the disk at each commit. Threads are connections to
// one file, each with a slot of its own.
#include <filesystem>
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "chat/store/open_store.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// Beside the program, on the disk of the build, and not in /tmp, which may be in memory.
std::string Path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "store_bench.db").string();
}

void RemoveFile() {
  for (const char* rest : {"", "-wal", "-shm"}) std::filesystem::remove(Path() + rest);
}

void Append(benchmark::State& state) {
  const auto count = static_cast<int64_t>(state.range(0));
  const int slot = state.thread_index();
  if (slot == 0) RemoveFile();
  // Threads meet here first.
  std::unique_ptr<Store> store;
  AppendBatch batch;
  int64_t next = 1;
  for (auto _ : state) {
    if (store == nullptr) {
      state.PauseTiming();
      auto opened = OpenStore({.url = fmt::format("sqlite:{}", Path()), .sync = state.range(1) != 0});
      if (!opened.ok()) {
        state.SkipWithError(opened.status().ToString().c_str());
        break;
      }
      store = *std::move(opened);
      StoredServer server;
      server.incarnation = static_cast<uint64_t>(slot) + 1;
      server.id = fmt::format("chat-{}", slot);
      if (!store->Register(server).ok() || !store->Claim(server.incarnation, {slot}, 0).ok()) {
        state.SkipWithError("no slot");
        break;
      }
      batch.slots = {{slot, 1}};
      LoggedEvent event;
      event.room = fmt::format("room {}", slot);
      event.sender = "somebody";
      event.id = "0123456789abcdef";
      event.content = std::string(64, 'x');
      batch.events.assign(static_cast<size_t>(count), {slot, event});
      state.ResumeTiming();
    }
    for (auto& entry : batch.events) entry.event.offset = next++;
    const auto answer = store->Append(batch);
    if (!answer.ok() || answer->slots.empty()) {
      state.SkipWithError("not appended");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * count);
}

BENCHMARK(Append)
    ->ArgNames({"batch", "full"})
    ->ArgsProduct({{1, 32, 256}, {1, 0}})
    ->Threads(1)
    ->Threads(3)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hubbub::chat
