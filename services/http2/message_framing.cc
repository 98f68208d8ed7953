#include "services/http2/message_framing.h"

#include <algorithm>

#include "fmt/format.h"

namespace hubbub::http2 {

std::string FrameMessage(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  std::string framed;
  framed.reserve(kPrefixBytes + size);
  framed.push_back(0);
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>((size >> shift) & 0xff));
  message.AppendPartialToString(&framed);
  return framed;
}

absl::Status MessageReader::SizeOf(std::string_view bytes, size_t& size) {
  size = 0;
  if (bytes.empty()) return absl::OkStatus();
  if (bytes[0] != 0) {
    return absl::InternalError("the server has compressed a message, which was not offered to it");
  }
  if (bytes.size() < kPrefixBytes) return absl::OkStatus();
  size_t length = 0;
  for (size_t i = 1; i < kPrefixBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  if (length > kMostBytes) {
    return absl::ResourceExhaustedError(
        fmt::format("the server has sent a message of {} bytes; {} are the most", length, kMostBytes));
  }
  size = kPrefixBytes + length;
  return absl::OkStatus();
}

absl::Status MessageReader::Read(std::string_view bytes,
                                 const std::function<void(std::string_view)>& on_message) {
  size_t size = 0;
  // A message of which a part has come before is put together; others are read where they are.
  while (!pending_.empty() && !bytes.empty()) {
    if (absl::Status status = SizeOf(pending_, size); !status.ok()) return status;
    const size_t wanted = std::min(bytes.size(), (size == 0 ? kPrefixBytes : size) - pending_.size());
    pending_.append(bytes.substr(0, wanted));
    bytes.remove_prefix(wanted);
    if (absl::Status status = SizeOf(pending_, size); !status.ok()) return status;
    if (size == 0 || pending_.size() < size) continue;
    std::string message;
    message.swap(pending_);
    on_message(std::string_view(message).substr(kPrefixBytes));
  }
  while (!bytes.empty()) {
    if (absl::Status status = SizeOf(bytes, size); !status.ok()) return status;
    if (size == 0 || bytes.size() < size) break;
    on_message(bytes.substr(kPrefixBytes, size - kPrefixBytes));
    bytes.remove_prefix(size);
  }
  pending_.append(bytes);
  return absl::OkStatus();
}

}  // namespace hubbub::http2
