#include "chat/cluster/store_health.h"

#include <string>

#include "spdlog/spdlog.h"

namespace hubbub::chat {

void StoreHealth::Tell(const absl::Status& status) {
  if (absl::IsCancelled(status)) return;
  const bool failed = !status.ok();
  if (failed) errors_.Add();
  answers_ = !failed;
  if (failed == told_) return;
  told_ = failed;
  if (failed) {
    spdlog::error("the store does not answer, and chat servers keep the slots that they have: {}",
                  std::string(status.message()));
  } else {
    spdlog::info("the store answers again");
  }
}

}  // namespace hubbub::chat
