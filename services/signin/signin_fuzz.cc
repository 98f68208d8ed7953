#include <string>

#include "services/base/limits.h"
#include "services/signin/jwk.h"
#include "services/signin/jws.h"
#include "services/signin/pass.h"
#include "services/signin/strict_json.h"
#include "services/signin/testing/vectors.h"
#include "services/testing/fuzz_check.h"

// A token, its claims, a key set and a PEM file, of anybody's making. Only what was signed may be opened, and
// a pass names a user who can be.

namespace {

using namespace hubbub::signin;  // NOLINT(google-build-using-namespace)

bool IsAVector(std::string_view token) {
  for (const auto& vector : Vectors().at("good").get_array()) {
    if (TextOf(vector, "token") == token) return true;
  }
  return false;
}

void CheckClaims(std::string_view claims) {
  const auto pass = ReadPass(claims, {}, kNowMs);
  if (!pass.ok()) return;
  FUZZ_CHECK(hubbub::CheckName("sub", pass->user).ok());
  FUZZ_CHECK(pass->ends_ms > kNowMs);
  // What was read once says the same again.
  const auto object = ParseStrictObject(claims);
  FUZZ_CHECK(object.ok());
  const auto again = ReadPass(boost::json::serialize(*object), {}, kNowMs);
  FUZZ_CHECK(again.ok() && again->user == pass->user);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const kKeys = new std::vector<Key>(VectorKeys());
  const std::string_view bytes = FuzzInput(data, size);
  if (OpenToken(bytes, *kKeys).ok()) FUZZ_CHECK(IsAVector(bytes));
  CheckClaims(bytes);
  if (const auto set = ParseJwks(bytes); set.ok()) {
    for (const Key& key : set->keys) FUZZ_CHECK(!key.Verify("bytes", "signature"));
  }
  (void)Key::FromPem("id", bytes);
  return 0;
}
