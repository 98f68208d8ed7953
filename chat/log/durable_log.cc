#include "chat/log/durable_log.h"

#include <future>
#include <string>
#include <utility>

namespace hubbub::chat {
namespace {

using Opened = absl::StatusOr<std::unique_ptr<Store>>;

// A connection for the reader, and the lanes' ones behind it. The first one says how many lanes there are;
// the others are opened at once, because rooms wait for them, and a store that is far away takes its time.
absl::StatusOr<std::vector<std::unique_ptr<Store>>> OpenAll(const DurableLog::OpenStore& open) {
  Opened first = open();
  if (!first.ok()) return first.status();
  std::vector<std::future<Opened>> opening(static_cast<size_t>((*first)->writers()));
  for (std::future<Opened>& one : opening) one = std::async(std::launch::async, open);
  std::vector<std::unique_ptr<Store>> stores;
  stores.push_back(*std::move(first));
  for (std::future<Opened>& one : opening) {
    Opened opened = one.get();
    if (!opened.ok()) return opened.status();
    stores.push_back(*std::move(opened));
  }
  return stores;
}

}  // namespace

absl::Status DurableLog::Start(RoomTable& rooms, uint64_t epoch, const OpenStore& open) {
  absl::StatusOr<std::vector<std::unique_ptr<Store>>> opened = OpenAll(open);
  if (!opened.ok()) return opened.status();
  std::vector<std::unique_ptr<Store>> stores = *std::move(opened);
  std::unique_ptr<Store> reader = std::move(stores.front());
  stores.erase(stores.begin());
  rooms_ = &rooms;
  for (std::unique_ptr<Store>& store : stores) {
    lanes_.push_back(std::make_unique<AppendLane>(options_.lanes, std::move(store), slots_, rooms.lines(),
                                                  listener_, counters_));
  }
  loader_ = std::make_unique<RoomLoader>(options_.loader, epoch, std::move(reader), slots_, rooms, counters_);
  looks_ = std::thread([this] { Look(); });
  started_ = true;
  running_ = true;
  return absl::OkStatus();
}

void DurableLog::Wake(std::string_view room) {
  lanes_[static_cast<size_t>(slots_.SlotOf(room)) % lanes_.size()]->Wake(room);
}

bool DurableLog::Load(std::string_view room) {
  if (!running_) return false;
  loader_->Load(room);
  return true;
}

void DurableLog::WhenRead(std::string_view room, std::function<void()> done) {
  if (!running_) return done();
  loader_->WhenRead(room, std::move(done));
}

void DurableLog::Look() {
  std::unique_lock lock(mu_);
  while (!changed_.wait_for(lock, options_.look_every, [this] { return stopping_; })) {
    if (rooms_->lines().budget().sends() == 0) continue;
    lock.unlock();
    {
      Gather gather;
      rooms_->lines().GiveUp(
          options_.now_ms() - options_.longest_wait_ms,
          absl::UnavailableError("the store cannot keep messages just now: try again soon"), gather);
    }
    lock.lock();
  }
}

void DurableLog::StopReading() {
  if (rooms_ == nullptr) return;
  running_ = false;
  loader_->Stop();
}

void DurableLog::Stop() {
  if (rooms_ == nullptr) return;
  StopReading();
  for (auto& lane : lanes_) lane->Stop();
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (looks_.joinable()) looks_.join();
  Gather gather;
  for (const std::string& room : rooms_->lines().Waiting()) {
    rooms_->lines().Refuse(
        room,
        absl::UnknownError(
            "the chat server ended while the message was being kept: send it again with the same id"),
        absl::UnavailableError("the chat server is shutting down"), gather);
  }
  rooms_ = nullptr;
}

}  // namespace hubbub::chat
