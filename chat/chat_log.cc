#include "chat/chat_log.h"

#include "spdlog/spdlog.h"

namespace hubbub::chat {

void ChatLog::Start(RoomTable& rooms) {
  rooms_ = &rooms;
  if (TryStart()) return;
  // Not on the thread that notices pauses of this process: the store may take its time to answer.
  starting_.Start([this] { return log_.started() || TryStart() ? std::chrono::hours(1) : kAgain; });
}

bool ChatLog::TryStart() {
  const uint64_t epoch = cluster_.slots().epoch();
  if (epoch == 0) return false;
  const absl::Status status = log_.Start(*rooms_, epoch, open_);
  if (!status.ok() && !absl::IsCancelled(status) && told_ != status)
    spdlog::warn("no room can be read yet, because of the store: {}", std::string(status.message()));
  told_ = status;
  if (status.ok()) history_.Start();
  return status.ok();
}

void ChatLog::StopReading() {
  starting_.Stop();
  log_.StopReading();
  history_.Stop();
}

void ChatLog::OnSlotLost(int slot, int64_t generation) {
  spdlog::warn("slot {} was claimed by another chat server after generation {}", slot, generation);
  // What it reads there makes this server forget the slot's rooms.
  cluster_.keeper().Wake();
}

void ChatLog::OnRoomStale(std::string_view room) {
  spdlog::warn("the store knows room \"{}\" better than this server: it is read anew", room);
  rooms_->moves().Lost(room, id_);
}

}  // namespace hubbub::chat
