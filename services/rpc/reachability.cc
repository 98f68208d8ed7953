#include "services/rpc/reachability.h"

#include <string>
#include <utility>

namespace hubbub::rpc {
namespace {

// Without a doubt: the server has answered that it will not, or its machine that no process listens there.
bool IsCertain(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return Reachability::Refused(status);
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return false;
    default:
      return true;
  }
}

}  // namespace

bool Reachability::Refused(const grpc::Status& status) {
  // gRPC has no code of its own for it.
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message().find("Connection refused") != std::string::npos;
}

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
  if (told_ || !lost_ || now_ms - since_ms_ < (ever_ ? kPatienceMs : kStartMs)) return false;
  told_ = true;
  return true;
}

}  // namespace hubbub::rpc
