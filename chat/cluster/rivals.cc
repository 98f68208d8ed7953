#include "chat/cluster/rivals.h"

#include "fmt/format.h"

namespace hubbub::chat {

void Rivals::Set(std::vector<std::string> ids) {
  MutexLock lock(mu_);
  ids_ = std::move(ids);
}

absl::Status Rivals::MayServe() const {
  MutexLock lock(mu_);
  if (ids_.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "chat server \"{}\" has no store, and the directory lists chat server \"{}\" too: start both with the "
      "same --store, such as sqlite:PATH on one machine or postgres://HOST/DATABASE",
      id_, ids_.front()));
}

}  // namespace hubbub::chat
