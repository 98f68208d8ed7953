#include "services/signin/jwk.h"

#include <string>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "services/signin/testing/vectors.h"

namespace hubbub::signin {
namespace {

namespace json = boost::json;

// The vectors' key with this `kid`, with a member changed, added, or taken away by null.
std::string Jwk(std::string_view kid, std::string_view member, const json::value& value) {
  for (const json::value& key : Vectors().at("jwks").at("keys").get_array()) {
    if (TextOf(key, "kid") != kid) continue;
    json::object jwk = key.get_object();
    jwk[{member.data(), member.size()}] = value;
    if (value.is_null()) jwk.erase({member.data(), member.size()});
    return json::serialize(jwk);
  }
  return {};
}

TEST(Jwks, EachKindOfKeyHasItsAlgorithm) {
  const std::vector<Key> keys = VectorKeys();
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ(keys[0].algorithm(), Algorithm::kHs256);
  EXPECT_EQ(keys[1].algorithm(), Algorithm::kRs256);
  EXPECT_EQ(keys[2].algorithm(), Algorithm::kEs256);
  EXPECT_EQ(keys[3].algorithm(), Algorithm::kEdDsa);
  EXPECT_EQ(keys[3].id(), "ed");
}

TEST(Jwks, TakesOneKeyAlone) {
  const auto set = ParseJwks(Jwk("ed", "use", "sig"));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->keys.size(), 1U);
}

TEST(Jwks, SkipsKeysForOtherPurposesAndOfOtherKinds) {
  const struct {
    std::string jwk;
    const char* why;
  } cases[] = {
      {Jwk("rs", "use", "enc"), "'use'"},      {Jwk("rs", "key_ops", json::array{"encrypt"}), "'key_ops'"},
      {Jwk("rs", "alg", "RS512"), "'alg'"},    {Jwk("es", "crv", "P-521"), "P-256"},
      {Jwk("ed", "crv", "X25519"), "Ed25519"}, {R"({"kty":"new"})", "neither"},
  };
  for (const auto& one : cases) {
    const auto set = ParseJwks(one.jwk);
    ASSERT_TRUE(set.ok()) << one.jwk << set.status();
    EXPECT_TRUE(set->keys.empty()) << one.jwk;
    ASSERT_EQ(set->skipped.size(), 1U) << one.jwk;
    EXPECT_NE(set->skipped[0].find(one.why), std::string::npos) << set->skipped[0];
  }
}

TEST(Jwks, SaysWhatIsWrong) {
  const struct {
    std::string text;
    const char* why;
  } cases[] = {
      {"", "not JSON"},
      {"[]", "not a JSON object"},
      {R"({"keys":{}})", "neither 'keys'"},
      {R"({"keys":[7]})", "key 1 is not an object"},
      {R"({"kty":"oct","kty":"oct"})", "two members"},
      {Jwk("hs", "k", "c2hvcnQ"), "has 5 bytes"},
      {Jwk("hs", "k", "***"), "'k' is not base64url"},
      {Jwk("hs", "k", nullptr), "'k' is not base64url"},
      {Jwk("rs", "alg", "ES256"), "does not fit"},
      {Jwk("rs", "d", "AQAB"), "private key"},
      {Jwk("rs", "n", "AQAB"), "make no RSA key"},
      {Jwk("rs", "e", nullptr), "'e' is not base64url"},
      {Jwk("es", "x", "AQAB"), "32 bytes each"},
      {Jwk("es", "y", std::string(43, 'A').c_str()), "no point of P-256"},
      {Jwk("ed", "x", "AQAB"), "32 bytes"},
  };
  for (const auto& one : cases) {
    const auto set = ParseJwks(one.text);
    ASSERT_FALSE(set.ok()) << one.text;
    EXPECT_NE(std::string(set.status().message()).find(one.why), std::string::npos) << set.status();
  }
}

TEST(Key, ReadsPemFiles) {
  const json::value& pems = Vectors().at("pems");
  EXPECT_EQ(Key::FromPem("a", TextOf(pems, "rs"))->algorithm(), Algorithm::kRs256);
  EXPECT_EQ(Key::FromPem("a", TextOf(pems, "es"))->algorithm(), Algorithm::kEs256);
  EXPECT_EQ(Key::FromPem("a", TextOf(pems, "ed"))->algorithm(), Algorithm::kEdDsa);
}

TEST(Key, SaysWhatIsWrongWithAPemFile) {
  const json::value& pems = Vectors().at("pems");
  const struct {
    std::string pem;
    const char* why;
  } cases[] = {
      {"", "no public key"},
      {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no public key"},
      {TextOf(pems, "private"), "holds a private key"},
      {TextOf(pems, "small"), "1024 bits"},
      {TextOf(pems, "es384"), "neither RSA"},
  };
  for (const auto& one : cases) {
    const auto key = Key::FromPem("a", one.pem);
    ASSERT_FALSE(key.ok()) << one.pem;
    EXPECT_NE(std::string(key.status().message()).find(one.why), std::string::npos) << key.status();
  }
}

}  // namespace
}  // namespace hubbub::signin
