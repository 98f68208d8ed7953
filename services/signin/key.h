#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY.

namespace hubbub::signin {

// How a sign-in token may be signed (RFC 7518, 3.1; RFC 8037, 3.1).
enum class Algorithm : uint8_t { kHs256, kRs256, kEs256, kEdDsa };
std::string_view ToString(Algorithm algorithm);
std::optional<Algorithm> AlgorithmNamed(std::string_view name);

// A key that tells whether a sign-in token was signed by its issuer. Each key is for the one algorithm that
// its kind has, whatever a token says: a public RSA key never serves as the secret of an HMAC. A thin rim
// around OpenSSL's EVP, and the only code that speaks with it. A value, immutable, thread-safe.
class Key {
 public:
  // `id` is what a token's `kid` may name it by; empty: it has no name. INVALID_ARGUMENT says what is wrong.

  // HS256, with 32 bytes or more (RFC 7518, 3.2).
  static absl::StatusOr<Key> FromSecret(std::string id, std::string secret);
  // A public key, or a certificate's: RSA of 2,048 bits or more, EC on P-256, or Ed25519.
  static absl::StatusOr<Key> FromPem(std::string id, std::string_view pem);
  // The members of a JWK as bytes (RFC 7518, 6.2 and 6.3; RFC 8037, 2).
  static absl::StatusOr<Key> FromRsa(std::string id, std::string_view modulus, std::string_view exponent);
  static absl::StatusOr<Key> FromP256(std::string id, std::string_view x, std::string_view y);
  static absl::StatusOr<Key> FromEd25519(std::string id, std::string_view x);

  const std::string& id() const { return id_; }
  Algorithm algorithm() const { return algorithm_; }

  // True if this key's holder has made `signature` for `bytes`.
  bool Verify(std::string_view bytes, std::string_view signature) const;

 private:
  Key(std::string id, Algorithm algorithm, std::shared_ptr<evp_pkey_st> public_key, std::string secret);
  static absl::StatusOr<Key> FromPublicKey(std::string id, std::shared_ptr<evp_pkey_st> public_key);

  std::string id_;
  Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> public_key_;  // Null for HS256.
  std::string secret_;                       // For HS256 alone.
};

}  // namespace hubbub::signin
