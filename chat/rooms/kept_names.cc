#include "chat/rooms/kept_names.h"

#include <algorithm>
#include <utility>

namespace hubbub::chat {

void KeptNames::Insert(std::string_view user, const Kept& kept, int64_t now_ms) {
  if (kept.until_ms <= now_ms) return;
  if (by_user_ != nullptr && by_user_->size() >= kMost) Expire(now_ms);
  if (by_user_ == nullptr) by_user_ = std::make_unique<StringMap<Kept>>();
  if (by_user_->size() < kMost) (*by_user_)[std::string(user)] = kept;
}

int64_t KeptNames::WaitFor(std::string_view user, const ShownTokens& tokens, uint64_t address,
                           int64_t now_ms) const {
  if (by_user_ == nullptr) return 0;
  const auto at = by_user_->find(user);
  if (at == by_user_->end()) return 0;
  const Kept& kept = at->second;
  if (tokens.Fit(kept.token) || (address != 0 && address == kept.address)) return 0;
  return std::max<int64_t>(kept.until_ms - now_ms, 0);
}

void KeptNames::Erase(std::string_view user) {
  if (by_user_ == nullptr) return;
  if (const auto at = by_user_->find(user); at != by_user_->end()) by_user_->erase(at);
  if (by_user_->empty()) by_user_.reset();
}

void KeptNames::Expire(int64_t now_ms) {
  if (by_user_ == nullptr) return;
  for (auto it = by_user_->begin(); it != by_user_->end();) {
    const auto current = it++;
    if (current->second.until_ms <= now_ms) by_user_->erase(current);
  }
  if (by_user_->empty()) by_user_.reset();
}

std::vector<KeptNames::Entry> KeptNames::Entries() const {
  std::vector<Entry> entries;
  if (by_user_ == nullptr) return entries;
  for (const auto& [user, kept] : *by_user_) entries.push_back({user, kept});
  return entries;
}

}  // namespace hubbub::chat
