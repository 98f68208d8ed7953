#include "services/base/limits.h"
#include "services/base/name_characters.h"
#include "services/base/utf8.h"
#include "services/testing/fuzz_check.h"

// A name of anybody's making. What is taken is text without anything that a reader could not see.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view name = FuzzInput(data, size);
  const bool taken = hubbub::CheckName("name", name).ok();
  if (!hubbub::IsUtf8(name)) {
    FUZZ_CHECK(!taken);
    return 0;
  }
  const auto fault = hubbub::NameFault(name);
  if (taken) FUZZ_CHECK(!fault);
  if (fault) FUZZ_CHECK(!fault->empty());
  // Names that differ by a blank alone, or by a selector, are not both taken.
  for (const char* unseen : {"\xe2\xa0\x80", "\xc2\xa0", "\xe2\x80\x8b", "\xef\xb8\x8f\xef\xb8\x8f", "  "})
    if (name.find(unseen) != std::string_view::npos) FUZZ_CHECK(fault);
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) FUZZ_CHECK(fault);
  }
  return 0;
}
