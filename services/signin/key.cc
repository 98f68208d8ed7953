#include "services/signin/key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::signin {
namespace {

constexpr size_t kLeastSecretBytes = 32;
constexpr int kLeastRsaBits = 2048;
// Half of an ES256 signature, and a coordinate of P-256.
constexpr size_t kP256Bytes = 32;

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    kFree(value);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freed<kFree>>;
using Bio = Owned<BIO, BIO_free>;
using Number = Owned<BIGNUM, BN_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParamBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Certificate = Owned<X509, X509_free>;
using EcSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

// gRPC's TLS reads the thread's queue of errors too, and must not find ours there.
class NoErrorsLeft {
 public:
  NoErrorsLeft() = default;
  NoErrorsLeft(const NoErrorsLeft&) = delete;
  NoErrorsLeft& operator=(const NoErrorsLeft&) = delete;
  ~NoErrorsLeft() { ERR_clear_error(); }
};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> Shared(EVP_PKEY* key) {
  return key == nullptr ? nullptr : std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
}

Number ToNumber(std::string_view bytes) {
  return Number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

// Null if they make no key, such as a point that is not on its curve.
std::shared_ptr<EVP_PKEY> MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  auto shared = Shared(key);
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return check != nullptr && EVP_PKEY_public_check(check.get()) == 1 ? shared : nullptr;
}

// A file that asks for a password gets none: nobody sits at a server.
int NoPassword(char*, int, int, void*) {
  return -1;
}

std::shared_ptr<EVP_PKEY> ReadPem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return nullptr;
  if (pem.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos)
    return Shared(PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassword, nullptr));
  const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
  return certificate == nullptr ? nullptr : Shared(X509_get_pubkey(certificate.get()));
}

bool IsOnP256(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == SN_X9_62_prime256v1;
}

// JOSE writes the two numbers of an ECDSA signature side by side (RFC 7518, 3.4), OpenSSL reads DER. Empty if
// it cannot be one.
std::string ToDer(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return {};
  Number r = ToNumber(signature.substr(0, kP256Bytes));
  Number s = ToNumber(signature.substr(kP256Bytes));
  const EcSignature pair(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || pair == nullptr ||
      ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1)
    return {};
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

bool VerifyHmac(std::string_view secret, std::string_view bytes, std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> own{};
  unsigned size = 0;
  return HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(bytes), bytes.size(),
              own.data(), &size) != nullptr &&
         size == signature.size() && CRYPTO_memcmp(own.data(), signature.data(), size) == 0;
}

}  // namespace

std::string_view ToString(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return "HS256";
    case Algorithm::kRs256:
      return "RS256";
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kEdDsa:
      break;
  }
  return "EdDSA";
}

std::optional<Algorithm> AlgorithmNamed(std::string_view name) {
  for (const Algorithm one : {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEdDsa}) {
    if (ToString(one) == name) return one;
  }
  return std::nullopt;
}

Key::Key(std::string id, Algorithm algorithm, std::shared_ptr<EVP_PKEY> public_key, std::string secret)
    : id_(std::move(id)),
      algorithm_(algorithm),
      public_key_(std::move(public_key)),
      secret_(std::move(secret)) {}

absl::StatusOr<Key> Key::FromSecret(std::string id, std::string secret) {
  if (secret.size() < kLeastSecretBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the secret has {} bytes: HS256 needs {} or more", secret.size(), kLeastSecretBytes));
  }
  return Key(std::move(id), Algorithm::kHs256, nullptr, std::move(secret));
}

absl::StatusOr<Key> Key::FromPem(std::string id, std::string_view pem) {
  const NoErrorsLeft cleared;
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "it holds a private key, which is for the issuer alone: give the public one, as 'openssl pkey "
        "-pubout' "
        "writes it");
  }
  auto key = ReadPem(pem);
  if (key == nullptr)
    return absl::InvalidArgumentError(
        "it holds no public key and no certificate that can be read ('BEGIN PUBLIC KEY', 'BEGIN "
        "CERTIFICATE')");
  return FromPublicKey(std::move(id), std::move(key));
}

absl::StatusOr<Key> Key::FromRsa(std::string id, std::string_view modulus, std::string_view exponent) {
  const NoErrorsLeft cleared;
  const Number n = ToNumber(modulus);
  const Number e = ToNumber(exponent);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  std::shared_ptr<EVP_PKEY> key;
  if (builder != nullptr && n != nullptr && e != nullptr &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1)
    key = MakeKey("RSA", builder.get());
  if (key == nullptr) return absl::InvalidArgumentError("its 'n' and 'e' make no RSA key");
  return FromPublicKey(std::move(id), std::move(key));
}

absl::StatusOr<Key> Key::FromP256(std::string id, std::string_view x, std::string_view y) {
  const NoErrorsLeft cleared;
  if (x.size() != kP256Bytes || y.size() != kP256Bytes)
    return absl::InvalidArgumentError("its 'x' and 'y' must have 32 bytes each");
  // An uncompressed point (SEC 1, 2.3.3).
  const std::string point = std::string(1, '\x04').append(x).append(y);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  std::shared_ptr<EVP_PKEY> key;
  if (builder != nullptr &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) ==
          1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) ==
          1)
    key = MakeKey("EC", builder.get());
  if (key == nullptr) return absl::InvalidArgumentError("its 'x' and 'y' are no point of P-256");
  return FromPublicKey(std::move(id), std::move(key));
}

absl::StatusOr<Key> Key::FromEd25519(std::string id, std::string_view x) {
  const NoErrorsLeft cleared;
  auto key = Shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()));
  if (key == nullptr) return absl::InvalidArgumentError("its 'x' must have 32 bytes");
  return FromPublicKey(std::move(id), std::move(key));
}

absl::StatusOr<Key> Key::FromPublicKey(std::string id, std::shared_ptr<EVP_PKEY> public_key) {
  Algorithm algorithm = Algorithm::kEdDsa;
  const int kind = EVP_PKEY_get_base_id(public_key.get());
  if (kind == EVP_PKEY_RSA) {
    algorithm = Algorithm::kRs256;
    if (const int bits = EVP_PKEY_get_bits(public_key.get()); bits < kLeastRsaBits) {
      return absl::InvalidArgumentError(
          fmt::format("its RSA key has {} bits: {} or more are needed", bits, kLeastRsaBits));
    }
  } else if (kind == EVP_PKEY_EC && IsOnP256(public_key.get())) {
    algorithm = Algorithm::kEs256;
  } else if (kind != EVP_PKEY_ED25519) {
    return absl::InvalidArgumentError("its key is neither RSA, nor EC on P-256, nor Ed25519");
  }
  return Key(std::move(id), algorithm, std::move(public_key), {});
}

bool Key::Verify(std::string_view bytes, std::string_view signature) const {
  const NoErrorsLeft cleared;
  if (algorithm_ == Algorithm::kHs256) return VerifyHmac(secret_, bytes, signature);
  std::string der;
  if (algorithm_ == Algorithm::kEs256) {
    der = ToDer(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  // Ed25519 has its own hash.
  const EVP_MD* hash = algorithm_ == Algorithm::kEdDsa ? nullptr : EVP_sha256();
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, public_key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size()) == 1;
}

}  // namespace hubbub::signin
