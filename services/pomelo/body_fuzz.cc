#include <string>

#include "services/pomelo/body.h"
#include "services/pomelo/fuzz_check.h"
#include "services/pomelo/text.h"

using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto body = ParseJsonBody(FuzzInput(data, size));
  if (!body.ok()) return 0;
  const std::string text = JsonBody(*body);
  FUZZ_CHECK(IsUtf8(text));
  for (const char c : text) FUZZ_CHECK(static_cast<uint8_t>(c) < 0xf0);
  // Not the same value: Boost's parser may be off by a bit in a double's last place.
  FUZZ_CHECK(ParseJsonBody(text).ok());
  return 0;
}
