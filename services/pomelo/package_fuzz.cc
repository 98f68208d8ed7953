#include <string>

#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "services/testing/fuzz_check.h"

// A connection's whole life of bytes: packages one after the other, messages in the data ones. What is read
// and written again must be what it was, and no shorter input may have been judged otherwise.

namespace {

using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

constexpr size_t kMaxBody = 4096;

void CheckMessage(std::string_view bytes) {
  const auto message = DecodeMessage(bytes);
  if (!message.ok()) return;
  std::string again;
  switch (message->type) {
    case MessageType::kRequest:
      AppendRequest(message->id, message->route, message->body, again);
      break;
    case MessageType::kNotify:
      AppendNotify(message->route, message->body, again);
      break;
    case MessageType::kResponse:
      AppendResponse(message->id, message->body, again);
      break;
    case MessageType::kPush:
      AppendPush(message->route, message->body, again);
      break;
  }
  // To the byte, ids in any order of their groups and with needless ones too: answers repeat them.
  FUZZ_CHECK(again.substr(1) == bytes.substr(1));
  const auto decoded = DecodeMessage(again);
  FUZZ_CHECK(decoded.ok());
  FUZZ_CHECK(decoded->type == message->type && decoded->id == message->id);
  FUZZ_CHECK(decoded->route == message->route && decoded->body == message->body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = FuzzInput(data, size);
  CheckMessage(bytes);
  while (true) {
    const auto decoded = DecodePackage(bytes, kMaxBody);
    if (!decoded.ok() || !*decoded) return 0;
    const PackageAt& at = **decoded;
    FUZZ_CHECK(at.size == kPackageHead + at.package.body.size() && at.size <= bytes.size());
    FUZZ_CHECK(at.package.body.size() <= kMaxBody);
    const auto shorter = DecodePackage(bytes.substr(0, at.size - 1), kMaxBody);
    FUZZ_CHECK(shorter.ok() && !*shorter);
    std::string again;
    AppendPackage(at.package.type, at.package.body, again);
    FUZZ_CHECK(again == bytes.substr(0, at.size));
    if (at.package.type == PackageType::kData) CheckMessage(at.package.body);
    bytes.remove_prefix(at.size);
  }
}
