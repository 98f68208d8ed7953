#include "services/signin/jws.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "services/signin/jwk.h"
#include "services/signin/testing/vectors.h"

namespace hubbub::signin {
namespace {

std::vector<Key> KeyOf(const std::string& jwk) {
  return ParseJwks(jwk).value().keys;
}

std::string Base64Url(const std::string& bytes) {
  return absl::WebSafeBase64Escape(bytes);
}

// The claims of the examples of RFC 7515, A.
constexpr const char* kJoe =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

TEST(OpenToken, OpensTheExamplesOfTheRfcs) {
  const struct {
    const char* name;
    const char* jwk;
    const char* token;
    const char* payload;
  } cases[] = {
      {"RFC 7515, A.1",
       R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
       "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
       "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGx"
       "lLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
       kJoe},
      {"RFC 7515, A.2",
       R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
       "eyJhbGciOiJSUzI1NiJ9."
       "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp"
       "0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
       "O8W2Fp5jujGbds9"
       "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
       "eSN9383"
       "LcOLn6_dO--xi12jzDwusC-"
       "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm"
       "tVrBp0igcN_IoypGlUPQGe77Rw",
       kJoe},
      {"RFC 7515, A.3",
       R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
       "eyJhbGciOiJFUzI1NiJ9."
       "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp"
       "0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
       kJoe},
      {"RFC 8037, A.4", R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
       "09PGcvMg3AIbQR6dWbhijcN"
       "R4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
       "Example of Ed25519 signing"},
  };
  for (const auto& one : cases) {
    const auto payload = OpenToken(one.token, KeyOf(one.jwk));
    ASSERT_TRUE(payload.ok()) << one.name << payload.status();
    EXPECT_EQ(*payload, one.payload) << one.name;
  }
}

TEST(OpenToken, RefusesTheUnsecuredExampleOfTheRfc) {
  // RFC 7515, A.5, and RFC 7519, 6.1, whose claims are the same.
  const auto payload = OpenToken(
      "eyJhbGciOiJub25lIn0."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290I"
      "jp0cnVlfQ.",
      VectorKeys());
  EXPECT_EQ(payload.status().message(), "the sign-in token is not signed ('alg' is none)");
}

TEST(OpenToken, OpensWhatPyJwtSigned) {
  for (const auto& vector : Vectors().at("good").get_array()) {
    const auto payload = OpenToken(TextOf(vector, "token"), VectorKeys());
    ASSERT_TRUE(payload.ok()) << TextOf(vector, "name") << payload.status();
    EXPECT_EQ(boost::json::parse(*payload), Vectors().at("claims")) << TextOf(vector, "name");
  }
}

TEST(OpenToken, RefusesForgeries) {
  for (const auto& vector : Vectors().at("bad").get_array()) {
    const auto payload = OpenToken(TextOf(vector, "token"), VectorKeys());
    ASSERT_FALSE(payload.ok()) << TextOf(vector, "name");
    EXPECT_TRUE(absl::IsUnauthenticated(payload.status()));
    EXPECT_NE(std::string(payload.status().message()).find(TextOf(vector, "why")), std::string::npos)
        << TextOf(vector, "name") << payload.status();
  }
}

TEST(OpenToken, RefusesEveryTokenWithABitChanged) {
  const std::vector<Key> keys = VectorKeys();
  for (const auto& vector : Vectors().at("good").get_array()) {
    const std::string token = TextOf(vector, "token");
    for (size_t i = 0; i < token.size(); ++i) {
      std::string other = token;
      other[i] = other[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(OpenToken(other, keys).ok()) << i << other;
    }
  }
}

TEST(OpenToken, RefusesWhatIsNoToken) {
  const std::string header = Base64Url(R"({"alg":"HS256"})");
  const struct {
    std::string token;
    const char* why;
  } cases[] = {
      {"", "not a JWT"},
      {"a.b", "not a JWT"},
      {"..", "header that cannot be read"},
      {header + ".e30.e30.e30", "not a JWT"},
      {header + ".e30=.e30", "not a JWT"},
      {Base64Url("no") + ".e30.e30", "header that cannot be read"},
      {Base64Url(R"({"alg":"HS256","alg":"none"})") + ".e30.", "two members"},
      {Base64Url("{}") + ".e30.", "no 'alg'"},
      {Base64Url(R"({"alg":["HS256"]})") + ".e30.", "no 'alg'"},
      {Base64Url(R"({"alg":"hs256"})") + ".e30.", "does not take"},
      {header + ".e30.", "not its issuer's"},
      {std::string(kMaxTokenBytes + 1, 'A'), "at most 8192"},
      // JWE has five parts (RFC 7516).
      {header + ".e30.e30.e30.e30", "not a JWT"},
  };
  for (const auto& one : cases) {
    const auto payload = OpenToken(one.token, VectorKeys());
    ASSERT_FALSE(payload.ok()) << one.token;
    EXPECT_NE(std::string(payload.status().message()).find(one.why), std::string::npos)
        << one.token << payload.status();
  }
}

}  // namespace
}  // namespace hubbub::signin
