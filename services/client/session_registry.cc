#include "services/client/session_registry.h"

#include <string>

namespace hubbub::client {

void SessionRegistry::SignIn(std::string_view user, ClientSession& session) {
  loop_.AssertHere();
  users_[std::string(user)].push_back(&session);
}

void SessionRegistry::SignOut(std::string_view user, ClientSession& session) {
  loop_.AssertHere();
  const auto at = users_.find(user);
  if (at == users_.end()) return;
  std::erase(at->second, &session);
  if (at->second.empty()) users_.erase(at);
}

const std::vector<ClientSession*>* SessionRegistry::SessionsOf(std::string_view user) const {
  loop_.AssertHere();
  const auto at = users_.find(user);
  return at == users_.end() ? nullptr : &at->second;
}

std::vector<ClientSession*> SessionRegistry::All() const {
  loop_.AssertHere();
  std::vector<ClientSession*> all;
  for (const auto& [user, sessions] : users_) all.insert(all.end(), sessions.begin(), sessions.end());
  return all;
}

}  // namespace hubbub::client
