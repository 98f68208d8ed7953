#include "chat/chat_log.h"

#include "spdlog/spdlog.h"

namespace hubbub::chat {

void ChatLog::Tick(RoomTable& rooms) {
  const uint64_t epoch = cluster_.slots().epoch();
  if (log_.running() || epoch == 0) return;
  rooms_ = &rooms;
  const absl::Status status = log_.Start(rooms, epoch, open_);
  if (!status.ok() && told_ != status)
    spdlog::warn("no room can be read yet, because of the store: {}", std::string(status.message()));
  told_ = status;
  if (status.ok()) history_.Start();
}

void ChatLog::StopReading() {
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
