#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/string_ref.h"

namespace hubbub::rpc {

// The id of the client's request, or the back end's call, that a call between servers is part of: metadata
// by which the log lines of all of them are found. Made by the connector, or by the caller.
inline constexpr char kRequestIdKey[] = "x-request-id";
// Longer ones, and those that are not printable ASCII, are passed over: they would only soil the log.
inline constexpr size_t kMaxRequestIdBytes = 64;

// The id, or nothing if it cannot be used.
inline std::string_view UsableRequestId(std::string_view id) {
  const bool usable = id.size() <= kMaxRequestIdBytes &&
                      std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return usable ? id : std::string_view();
}

// The id in a call's metadata; empty if it has none or one that cannot be used.
inline std::string RequestIdIn(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto at = metadata.find(kRequestIdKey);
  if (at == metadata.end()) return {};
  return std::string(UsableRequestId({at->second.data(), at->second.size()}));
}

inline void SetRequestId(grpc::ClientContext& context, const std::string& id) {
  if (!id.empty()) context.AddMetadata(kRequestIdKey, id);
}

// Gives the id of `caller`'s call, if it has one, to a call that is part of it.
inline void PassRequestId(const grpc::CallbackServerContext& caller, grpc::ClientContext& context) {
  SetRequestId(context, RequestIdIn(caller.client_metadata()));
}

}  // namespace hubbub::rpc
