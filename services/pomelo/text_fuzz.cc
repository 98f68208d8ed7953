#include <string>

#include "boost/json.hpp"
#include "services/base/json_text.h"
#include "services/base/utf8.h"
#include "services/pomelo/text.h"
#include "services/testing/fuzz_check.h"

using namespace hubbub;          // NOLINT(google-build-using-namespace)
using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = FuzzInput(data, size);
  const auto utf8 = ToUtf8(text);
  FUZZ_CHECK(IsUtf8(text) == (utf8 == text));
  // Total on any bytes, though meant for valid ones.
  FUZZ_CHECK(JsonSize(text) >= size);
  FUZZ_CHECK(EscapeNonBmp(std::string(text)).size() >= size);
  size_t escapes = 0;
  for (size_t i = 0; (i = FindLoneEscape(text, i)) < size; i += 6) {
    FUZZ_CHECK(size - i >= 6 && text[i] == '\\' && text[i + 1] == 'u');
    ++escapes;
  }
  FUZZ_CHECK(escapes <= size / 6);
  if (!utf8) return 0;
  FUZZ_CHECK(IsUtf8(*utf8) && utf8->size() <= size);
  FUZZ_CHECK(ToUtf8(ToCesu8(*utf8)) == utf8);
  const std::string json = boost::json::serialize(boost::json::string(*utf8));
  const std::string escaped = EscapeNonBmp(json);
  FUZZ_CHECK(JsonSize(*utf8) == escaped.size() - 2);
  FUZZ_CHECK(boost::json::parse(escaped).as_string() == boost::json::string(*utf8));
  return 0;
}
