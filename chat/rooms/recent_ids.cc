#include "chat/rooms/recent_ids.h"

#include "chat/rooms/send_key.h"

namespace hubbub::chat {

std::optional<RecentIds::Sent> RecentIds::Find(std::string_view from, std::string_view id, int64_t now_ms) {
  Expire(now_ms);
  if (state_ == nullptr) return std::nullopt;
  const auto found = state_->by_key.find(SendKey(from, id));
  if (found == state_->by_key.end()) return std::nullopt;
  return found->second->sent;
}

void RecentIds::Insert(std::string_view from, std::string_view id, const Sent& sent) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  std::string key = SendKey(from, id);
  if (state_->by_key.contains(key)) return;
  state_->bytes += 2 * key.size() + kBytesPerId;
  const Place place = state_->oldest_first.insert(state_->oldest_first.end(), Kept{.key = key, .sent = sent});
  state_->by_key.emplace(std::move(key), place);
  auto& own = state_->by_user[std::string(from)];
  own.push_back(place);
  if (own.size() > limits_.max_ids_of_user) PopOldestOf(from);
  while (size() > limits_.max_ids) PopOldest();
}

std::vector<RecentIds::Entry> RecentIds::Entries() const {
  std::vector<Entry> entries;
  if (state_ == nullptr) return entries;
  entries.reserve(size());
  for (const auto& [key, sent] : state_->oldest_first) {
    const size_t end = key.find('\n');
    entries.push_back({key.substr(0, end), key.substr(end + 1), sent});
  }
  return entries;
}

void RecentIds::Expire(int64_t now_ms) {
  while (state_ != nullptr && now_ms - state_->oldest_first.front().sent.at_ms > limits_.max_age_ms)
    PopOldest();
}

void RecentIds::ShrinkTo(size_t max_bytes) {
  while (bytes() > max_bytes) PopOldest();
}

void RecentIds::PopOldest() {
  const std::string& key = state_->oldest_first.front().key;
  PopOldestOf(std::string(key, 0, key.find('\n')));
}

void RecentIds::PopOldestOf(std::string_view user) {
  const auto own = state_->by_user.find(user);
  const Place place = own->second.front();
  own->second.pop_front();
  if (own->second.empty()) state_->by_user.erase(own);
  state_->bytes -= 2 * place->key.size() + kBytesPerId;
  state_->by_key.erase(state_->by_key.find(std::string_view(place->key)));
  state_->oldest_first.erase(place);
  if (state_->oldest_first.empty()) state_.reset();
}

}  // namespace hubbub::chat
