#include <string>

#include "services/base/utf8.h"
#include "services/pomelo/body.h"
#include "services/testing/fuzz_check.h"

using namespace hubbub;          // NOLINT(google-build-using-namespace)
using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = FuzzInput(data, size);
  const auto body = ParseJsonBody(input);
  const bool like_object = BeginsLikeObject(input);
  if (!body.ok()) return 0;
  FUZZ_CHECK(like_object);
  const std::string text = JsonBody(*body);
  FUZZ_CHECK(IsUtf8(text));
  for (const char c : text) FUZZ_CHECK(static_cast<uint8_t>(c) < 0xf0);
  const auto again = ParseJsonBody(text);
  FUZZ_CHECK(again.ok() && *again == *body);
  return 0;
}
