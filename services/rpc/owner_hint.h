#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace hubbub::rpc {

// A chat server that does not have a room names the chat server that has it: in a status by a payload of this
// key, in gRPC by trailing metadata of the same name.
inline constexpr char kOwnerKey[] = "hubbub-owner";

inline void SetOwner(absl::Status& status, const std::string& server_id) {
  status.SetPayload(kOwnerKey, absl::Cord(server_id));
}

// The id of the chat server to ask instead; empty if the status names none.
inline std::string OwnerIn(const absl::Status& status) {
  const auto owner = status.GetPayload(kOwnerKey);
  return owner ? std::string(*owner) : std::string();
}

}  // namespace hubbub::rpc
