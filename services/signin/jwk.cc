#include "services/signin/jwk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/signin/base64url.h"
#include "services/signin/strict_json.h"

namespace hubbub::signin {
namespace {

namespace json = boost::json;

std::string TextOf(const json::object& jwk, std::string_view name) {
  const json::value* value = jwk.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

absl::StatusOr<std::string> BytesOf(const json::object& jwk, std::string_view name) {
  auto bytes = FromBase64Url(TextOf(jwk, name));
  if (!bytes || bytes->empty())
    return absl::InvalidArgumentError(fmt::format("its '{}' is not base64url", name));
  return *std::move(bytes);
}

// What makes a key useless here without being wrong; nothing if it may be of use.
std::optional<std::string> ReasonToSkip(const json::object& jwk) {
  if (const std::string use = TextOf(jwk, "use"); !use.empty() && use != "sig")
    return "its 'use' is not 'sig'";
  if (const json::value* operations = jwk.if_contains("key_ops");
      operations != nullptr && operations->is_array()) {
    const auto& list = operations->get_array();
    if (std::find(list.begin(), list.end(), json::value("verify")) == list.end())
      return "its 'key_ops' have no 'verify'";
  }
  const std::string kind = TextOf(jwk, "kty");
  const std::string curve = TextOf(jwk, "crv");
  const bool known = kind == "oct" || kind == "RSA" || (kind == "EC" && curve == "P-256") ||
                     (kind == "OKP" && curve == "Ed25519");
  if (!known) return "it is neither 'oct', nor 'RSA', nor 'EC' on 'P-256', nor 'OKP' with 'Ed25519'";
  if (const std::string algorithm = TextOf(jwk, "alg"); !algorithm.empty() && !AlgorithmNamed(algorithm))
    return "its 'alg' is none of HS256, RS256, ES256 and EdDSA";
  return std::nullopt;
}

absl::StatusOr<Key> MakeKey(const json::object& jwk) {
  const std::string kind = TextOf(jwk, "kty");
  std::string id = TextOf(jwk, "kid");
  if (kind == "oct") {
    auto secret = BytesOf(jwk, "k");
    return secret.ok() ? Key::FromSecret(std::move(id), *std::move(secret)) : secret.status();
  }
  if (jwk.contains("d"))
    return absl::InvalidArgumentError(
        "it holds a private key ('d'), which is for the issuer alone: give the public one");
  const auto first = BytesOf(jwk, kind == "RSA" ? "n" : "x");
  if (!first.ok()) return first.status();
  if (kind == "OKP") return Key::FromEd25519(std::move(id), *first);
  const auto second = BytesOf(jwk, kind == "RSA" ? "e" : "y");
  if (!second.ok()) return second.status();
  return kind == "RSA" ? Key::FromRsa(std::move(id), *first, *second)
                       : Key::FromP256(std::move(id), *first, *second);
}

absl::Status AddKey(const json::value& value, size_t number, KeySet& set) {
  const json::object* jwk = value.if_object();
  const auto name = [&] { return fmt::format("key {} ('{}')", number, TextOf(*jwk, "kid")); };
  if (jwk == nullptr) return absl::InvalidArgumentError(fmt::format("key {} is not an object", number));
  if (const auto reason = ReasonToSkip(*jwk)) {
    set.skipped.push_back(fmt::format("{}: {}", name(), *reason));
    return absl::OkStatus();
  }
  auto key = MakeKey(*jwk);
  if (!key.ok())
    return absl::InvalidArgumentError(fmt::format("{}: {}", name(), std::string(key.status().message())));
  if (const std::string algorithm = TextOf(*jwk, "alg");
      !algorithm.empty() && algorithm != ToString(key->algorithm())) {
    return absl::InvalidArgumentError(fmt::format("{}: its 'alg' does not fit its 'kty', which is for {}",
                                                  name(), ToString(key->algorithm())));
  }
  set.keys.push_back(*std::move(key));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeySet> ParseJwks(std::string_view text) {
  auto object = ParseStrictObject(text);
  if (!object.ok()) return object.status();
  KeySet set;
  if (object->contains("kty")) {
    absl::Status status = AddKey(*object, 1, set);
    if (!status.ok()) return status;
    return set;
  }
  const json::value* keys = object->if_contains("keys");
  if (keys == nullptr || !keys->is_array())
    return absl::InvalidArgumentError("it has neither 'keys', as a JWK set has, nor 'kty', as a JWK has");
  size_t number = 0;
  for (const json::value& key : keys->get_array()) {
    if (absl::Status status = AddKey(key, ++number, set); !status.ok()) return status;
  }
  return set;
}

}  // namespace hubbub::signin
