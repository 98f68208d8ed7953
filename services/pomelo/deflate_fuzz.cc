#include "services/pomelo/deflate.h"

#include <string>

#include "services/testing/fuzz_check.h"

using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMax = 4096;
  const std::string_view bytes = FuzzInput(data, size);
  const absl::StatusOr<std::string> text = Inflate(bytes, kMax);
  if (text.ok()) {
    FUZZ_CHECK(text->size() <= kMax);
    FUZZ_CHECK(text->capacity() <= kMax + 16);
    // Not a byte more is allowed, and no stream goes on behind its end or is whole without it.
    FUZZ_CHECK(Inflate(bytes, text->size()).ok());
    FUZZ_CHECK(text->empty() || !Inflate(bytes, text->size() - 1).ok());
    FUZZ_CHECK(!Inflate(std::string(bytes) + '\0', kMax).ok());
    FUZZ_CHECK(!Inflate(bytes.substr(0, size - 1), kMax).ok());
  }
  if (const std::optional<std::string> stream = DeflateIfSmaller(bytes)) {
    FUZZ_CHECK(stream->size() < size);
    FUZZ_CHECK(*Inflate(*stream, size) == bytes);
  }
  return 0;
}
