#include "services/signin/testing/test_tokens.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "services/base/clock.h"

namespace hubbub::signin {
namespace {

constexpr std::string_view kSecret = "a secret that tests alone may know";

std::string Base64Url(std::string_view bytes) {
  return absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()));
}

}  // namespace

TestIssuer::TestIssuer() {
  std::string folder = std::filesystem::temp_directory_path() / "issuer-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  const std::string file = folder + "/test.secret";
  std::ofstream(file) << kSecret;
  checker_ = TokenChecker::Open(file, {}).value();
  std::filesystem::remove_all(folder);
}

std::string TestIssuer::Sign(std::string_view claims) {
  std::string token = Base64Url(R"({"alg":"HS256"})") + "." + Base64Url(claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
  token += "." + Base64Url({reinterpret_cast<const char*>(mac.data()), size});
  return token;
}

std::string TestIssuer::TokenFor(std::string_view user) {
  return TokenThatEnds(user, 3'600'000);
}

std::string TestIssuer::TokenThatEnds(std::string_view user, int64_t ends_in_ms) {
  const int64_t end_ms = SystemNowMs() + ends_in_ms - kLeewaySeconds * 1'000;
  return Sign(fmt::format(R"({{"sub":"{}","exp":{}.{:03}}})", user, end_ms / 1'000, end_ms % 1'000));
}

}  // namespace hubbub::signin
