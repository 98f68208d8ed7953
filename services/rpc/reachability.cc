#include "services/rpc/reachability.h"

#include <string>
#include <utility>

namespace hubbub::rpc {
namespace {

// Without a doubt: the server has answered that it will not, or its machine that no process listens there.
// gRPC has no code of its own for the latter.
bool IsCertain(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return status.error_message().find("Connection refused") != std::string::npos;
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return false;
    default:
      return true;
  }
}

}  // namespace

void Reachability::Heard() {
  heard_ = true;
  ever_ = true;
  lost_ = false;
  told_ = false;
  attempts_ = 0;
}

void Reachability::Ended(const grpc::Status& status, int64_t now_ms) {
  if (std::exchange(heard_, false)) {
    since_ms_ = now_ms;
    return;
  }
  ++attempts_;
  lost_ = lost_ || IsCertain(status) || (attempts_ >= 2 && now_ms - since_ms_ >= kPatienceMs);
}

bool Reachability::MayTell(int64_t now_ms) {
  if (told_ || !lost_ || !(ever_ || now_ms - since_ms_ >= kStartMs)) return false;
  told_ = true;
  return true;
}

}  // namespace hubbub::rpc
