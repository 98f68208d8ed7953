#include "chat/hand_over.h"

#include <utility>

#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

size_t BytesOf(const RoomState& room) {
  size_t bytes = room.room.size() + 64;
  for (const RoomState::Place& p : room.places)
    bytes += p.user.size() + p.connector.size() + p.token.size() + 40;
  for (const KeptNames::Entry& entry : room.kept) bytes += entry.user.size() + 32;
  for (const EventPtr& event : room.recent_events) bytes += event->wire_bytes();
  for (const auto& [epoch, events] : room.earlier) {
    for (const auto& [offset, event] : events) bytes += event->wire_bytes();
  }
  for (const RecentIds::Entry& send : room.recent_ids) bytes += send.from.size() + send.id.size() + 40;
  return bytes;
}

// Whether the far end may have acted, though it did not say so.
bool Unsure(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
         absl::IsUnknown(status) || absl::IsInternal(status);
}

}  // namespace

void HandOver::Tick() {
  {
    MutexLock lock(mu_);
    for (auto& [server, line] : lines_) line.not_before_tick = false;
  }
  SendAll();
  if (const uint64_t generation = Scan(); generation != 0) owners_.SetSettled(generation);
  SendAll();
}

bool HandOver::Settled() const {
  MutexLock lock(mu_);
  return settled_ == owners_.generation();
}

void HandOver::Forget() {
  MutexLock lock(mu_);
  for (auto& [server, line] : lines_) {
    line.waiting.clear();
    line.batch = {};
  }
}

uint64_t HandOver::Scan() {
  MutexLock lock(mu_);
  const uint64_t generation = owners_.generation();
  if (settled_ == generation) return 0;
  for (const auto& [server, line] : lines_) {
    if (line.batch.rooms != nullptr || !line.waiting.empty()) return 0;
  }
  size_t found = 0;
  for (std::string& room : rooms_.Find(kMaxFound, [this](std::string_view name) {
         return owners_.OwnerOf(name).kind == OwnerTable::Owner::Kind::kOther;
       })) {
    const OwnerTable::Owner owner = owners_.OwnerOf(room);
    ++found;
    if (owner.kind == OwnerTable::Owner::Kind::kOther)
      lines_[owner.server.id].waiting.push_back(std::move(room));
  }
  if (found > 0) {
    if (!std::exchange(giving_, true))
      spdlog::info("chat server {} gives {} rooms to their owners", self_, found);
    return 0;
  }
  giving_ = false;
  settled_ = generation;
  return generation;
}

void HandOver::SendAll() {
  std::vector<std::string> servers;
  {
    MutexLock lock(mu_);
    for (const auto& [server, line] : lines_) servers.push_back(server);
  }
  for (const std::string& server : servers) Send(server);
}

HandOver::Batch HandOver::NextBatch(const std::string& server, Line& line) {
  auto rooms = std::make_shared<std::vector<RoomState>>();
  size_t bytes = 0;
  while (!line.waiting.empty() && rooms->size() < kMaxBatchRooms && bytes < kMaxBatchBytes) {
    const std::string room = std::move(line.waiting.front());
    line.waiting.pop_front();
    const OwnerTable::Owner owner = owners_.OwnerOf(room);
    // The next scan knows better.
    if (owner.kind != OwnerTable::Owner::Kind::kOther || owner.server.id != server) continue;
    if (std::optional<RoomState> state = rooms_.Freeze(room)) {
      bytes += BytesOf(*state);
      rooms->push_back(*std::move(state));
    }
  }
  if (rooms->empty()) return {};
  return {.number = ++batches_, .rooms = std::move(rooms)};
}

void HandOver::Send(const std::string& server) {
  Batch batch;
  Batch stays;
  if (stopped_) return;
  {
    MutexLock lock(mu_);
    const auto at = lines_.find(server);
    if (at == lines_.end() || at->second.under_way || at->second.not_before_tick) return;
    Line& line = at->second;
    // It was sent, nobody knows whether it has arrived, and nobody can be asked any more.
    if (line.batch.rooms != nullptr && !owners_.MayBeReached(server)) stays = std::exchange(line.batch, {});
    if (line.batch.rooms == nullptr && stays.rooms == nullptr) line.batch = NextBatch(server, line);
    batch = line.batch;
    line.under_way = batch.rooms != nullptr;
  }
  if (stays.rooms != nullptr) Thaw(stays, /*certain=*/false);
  if (batch.rooms == nullptr) return;
  ++calls_;
  import_(server, batch, [this, server](const absl::StatusOr<Refused>& answer) {
    OnAnswer(server, answer);
    --calls_;
  });
}

void HandOver::OnAnswer(const std::string& server, const absl::StatusOr<Refused>& answer) {
  Batch batch;
  {
    MutexLock lock(mu_);
    Line& line = lines_.find(server)->second;
    line.under_way = false;
    if (line.batch.rooms == nullptr) return;  // Forgotten meanwhile.
    if (Unsure(answer.status())) {
      // The same batch once more: a server that has it already says so.
      line.not_before_tick = true;
      return;
    }
    batch = std::exchange(line.batch, {});
    const bool refused = !answer.ok() || !answer->rooms.empty();
    line.not_before_tick = refused;
    if (refused && !std::exchange(line.refused, true)) {
      spdlog::info("chat server {} does not take all rooms yet: {}", server,
                   answer.ok() ? answer->reason : std::string(answer.status().message()));
    }
    if (!refused) line.refused = false;
  }
  if (!answer.ok()) return Thaw(batch, /*certain=*/true);
  for (const RoomState& room : *batch.rooms) {
    if (answer->rooms.contains(room.room)) {
      rooms_.Thaw(room.room, /*certain=*/true, self_);
    } else {
      rooms_.Moved(room.room, server);
    }
  }
  Send(server);
}

void HandOver::Thaw(const Batch& batch, bool certain) {
  for (const RoomState& room : *batch.rooms) rooms_.Thaw(room.room, certain, self_);
}

}  // namespace hubbub::chat
