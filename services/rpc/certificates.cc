#include "services/rpc/certificates.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "services/base/files.h"

namespace hubbub::rpc {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without it OpenSSL would ask the terminal for a password.
int NoPassword(char*, int, int, void*) {
  return 0;
}

absl::Status Wrong(const std::string& path, std::string_view why) {
  // What failed is said by `why`; OpenSSL's queue must not be found by somebody else.
  ERR_clear_error();
  return absl::InvalidArgumentError(fmt::format("{} {}", path, why));
}

int64_t SecondsOf(const ASN1_TIME* time) {
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return 0;
  return int64_t{days} * 86'400 + seconds;
}

Caller HolderOf(const X509& certificate) {
  Caller holder;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri));
    if (auto grant = GrantOfUri({bytes, static_cast<size_t>(ASN1_STRING_length(uri))}))
      holder.grants.push_back(*std::move(grant));
  }
  return holder;
}

}  // namespace

absl::StatusOr<Certificate> ReadCertificate(const CertificateFiles& files, int64_t now_s) {
  const auto certificate_text = ReadFile(files.certificate, kMaxPemBytes);
  if (!certificate_text.ok()) return certificate_text.status();
  const auto key_text = ReadFile(files.key, kMaxPemBytes);
  if (!key_text.ok()) return key_text.status();
  const auto authority_text = ReadFile(files.authority, kMaxPemBytes);
  if (!authority_text.ok()) return authority_text.status();

  const X509Ptr certificate(PEM_read_bio_X509(Reader(*certificate_text).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Wrong(files.certificate, "holds no certificate in PEM");
  const KeyPtr key(PEM_read_bio_PrivateKey(Reader(*key_text).get(), nullptr, &NoPassword, nullptr));
  if (key == nullptr) return Wrong(files.key, "holds no private key in PEM, or one with a password");
  const X509Ptr authority(PEM_read_bio_X509(Reader(*authority_text).get(), nullptr, nullptr, nullptr));
  if (authority == nullptr) return Wrong(files.authority, "holds no certificate in PEM");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return Wrong(files.key, fmt::format("is not the key of the certificate in {}", files.certificate));

  Certificate read{.holder = HolderOf(*certificate),
                   .expires_s = SecondsOf(X509_get0_notAfter(certificate.get()))};
  if (read.expires_s <= now_s) return Wrong(files.certificate, "has expired");
  return read;
}

absl::Status CheckHolder(const Certificate& certificate, Role role, std::string_view id) {
  if (!certificate.holder.Has(role)) {
    return absl::InvalidArgumentError(fmt::format(
        "the certificate does not say that its holder is a {0} server: it needs the URI hubbub://{0} or "
        "hubbub://{0}/{1} among its subject alternative names",
        NameOf(role), id));
  }
  return MaySpeakFor(certificate.holder, role, id);
}

}  // namespace hubbub::rpc
