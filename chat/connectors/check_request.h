#pragma once

#include "absl/status/status.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::chat {

// OK if every field of the request is within its bounds, as chat.proto states them. INVALID_ARGUMENT
// otherwise, naming the first field that is not.
absl::Status CheckRequest(const v1::AddRequest& request);
absl::Status CheckRequest(const v1::RestoreRequest& request);
absl::Status CheckRequest(const v1::KickRequest& request);
absl::Status CheckRequest(const v1::SendRequest& request);
absl::Status CheckRequest(const v1::SubscribeRequest& request);
absl::Status CheckRequest(const v1::GetRoomRequest& request);
absl::Status CheckRequest(const v1::ListRoomsRequest& request);

}  // namespace hubbub::chat
