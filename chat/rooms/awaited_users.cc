#include "chat/rooms/awaited_users.h"

#include <utility>

namespace hubbub::chat {

void AwaitedUsers::Insert(std::string_view user, int64_t until_ms) {
  if (users_ == nullptr) users_ = std::make_unique<StringSet>();
  until_ms_ = until_ms;
  if (users_->size() >= kMost || bytes_ + user.size() > kMostBytes) return;
  if (users_->emplace(user).second) bytes_ += user.size();
}

bool AwaitedUsers::Erase(std::string_view user) {
  if (users_ == nullptr) return false;
  const auto at = users_->find(user);
  if (at == users_->end()) return false;
  bytes_ -= user.size();
  users_->erase(at);
  if (users_->empty()) users_.reset();
  return true;
}

std::vector<std::string> AwaitedUsers::TakeLate(int64_t now_ms) {
  if (users_ == nullptr || now_ms < until_ms_) return {};
  std::vector<std::string> late = users();
  users_.reset();
  bytes_ = 0;
  return late;
}

std::vector<std::string> AwaitedUsers::users() const {
  if (users_ == nullptr) return {};
  return {users_->begin(), users_->end()};
}

}  // namespace hubbub::chat
