#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/repeated_field.h"
#include "services/base/string_map.h"

namespace hubbub::connector {

// The users of one room whom clients here have been shown: when their chat server dies together with another
// connector, the users of that connector are known from these alone. May name a user who has left; the next
// chat server looks at who is there. Bounded: of very many users the first are known. Loop-only.
class ShownUsers {
 public:
  static constexpr size_t kMostBytes = size_t{64} << 10;

  // The answer to an Add says that these are in the room, of `total` users. The first answer names all of
  // them, or the first ones; from then on events tell of each change.
  void Begin(const google::protobuf::RepeatedPtrField<std::string>& users, size_t total) {
    if (std::exchange(begun_, true)) return;
    for (const std::string& user : users) Insert(user);
    if (static_cast<size_t>(users.size()) < total) all_ = false;
  }
  void Insert(std::string_view user) {
    if (users_.contains(user)) return;
    if (bytes_ + user.size() > kMostBytes) {
      all_ = false;
      return;
    }
    users_.emplace(user);
    bytes_ += user.size();
  }
  void Erase(std::string_view user) {
    const auto at = users_.find(user);
    if (at == users_.end()) return;
    bytes_ -= user.size();
    users_.erase(at);
  }

  const StringSet& users() const { return users_; }
  // Those of `users` of whom it is certain that they were not shown; from now on they count as shown.
  std::vector<std::string> TakeUnshown(const google::protobuf::RepeatedPtrField<std::string>& users) {
    std::vector<std::string> unshown;
    if (!begun_ || !all_) return unshown;
    for (const std::string& user : users) {
      if (!users_.contains(user)) unshown.push_back(user);
    }
    for (const std::string& user : unshown) Insert(user);
    return unshown;
  }
  // Of their names.
  size_t bytes() const { return bytes_; }

 private:
  StringSet users_;
  size_t bytes_ = 0;
  bool begun_ = false;
  bool all_ = true;  // Nobody who was shown is missing here.
};

}  // namespace hubbub::connector
