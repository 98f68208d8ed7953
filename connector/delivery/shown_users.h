#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "google/protobuf/repeated_field.h"
#include "services/base/string_map.h"

namespace hubbub::connector {

// The users of one room whom clients here have been shown: when their chat server dies together with another
// connector, the users of that connector are known from these alone. May name a user who has left; the next
// chat server looks at who is there. Bounded: of very many users the first are known. Loop-only.
class ShownUsers {
 public:
  static constexpr size_t kMostBytes = size_t{64} << 10;

  // The answer to an Add says that these are in the room. The first answer names all of them; from then on
  // events tell of each change.
  void Begin(const google::protobuf::RepeatedPtrField<std::string>& users) {
    if (std::exchange(begun_, true)) return;
    for (const std::string& user : users) Insert(user);
  }
  void Insert(std::string_view user) {
    if (bytes_ + user.size() <= kMostBytes && users_.emplace(user).second) bytes_ += user.size();
  }
  void Erase(std::string_view user) {
    const auto at = users_.find(user);
    if (at == users_.end()) return;
    bytes_ -= user.size();
    users_.erase(at);
  }

  const StringSet& users() const { return users_; }
  // Of their names.
  size_t bytes() const { return bytes_; }

 private:
  StringSet users_;
  size_t bytes_ = 0;
  bool begun_ = false;
};

}  // namespace hubbub::connector
