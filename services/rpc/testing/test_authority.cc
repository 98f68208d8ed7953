#include "services/rpc/testing/test_authority.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <fstream>

namespace hubbub::rpc {
namespace {

std::filesystem::path MakeFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "hubbub-authority-XXXXXX").string();
  return mkdtemp(name.data());
}

void AddExtension(X509& certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

template <typename Put>
std::string Pem(Put put) {
  BIO* const memory = BIO_new(BIO_s_mem());
  put(memory);
  char* bytes = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(memory, &bytes));
  std::string text(bytes, size);
  BIO_free(memory);
  return text;
}

}  // namespace

void TestAuthority::FreeKey::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}

void TestAuthority::FreeCertificate::operator()(X509* certificate) const {
  X509_free(certificate);
}

TestAuthority::TestAuthority() : folder_(MakeFolder()), key_(MakeKey()) {
  certificate_ = Sign(*key_, "Hubbub tests", {}, 3600);
  Write("ca.pem", Pem([&](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); }));
}

TestAuthority::~TestAuthority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

TestAuthority::Key TestAuthority::MakeKey() {
  return Key(EVP_EC_gen("P-256"));
}

TestAuthority::Certificate TestAuthority::Sign(EVP_PKEY& key, const std::string& common_name,
                                               const std::string& names, int64_t valid_s) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_s);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  const bool authority = certificate_ == nullptr;
  X509_set_issuer_name(certificate.get(), authority ? subject : X509_get_subject_name(certificate_.get()));
  AddExtension(*certificate, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!names.empty()) AddExtension(*certificate, NID_subject_alt_name, names);
  X509_sign(certificate.get(), key_.get(), EVP_sha256());
  return certificate;
}

void TestAuthority::Issue(const std::string& name, const std::vector<std::string>& uris, int64_t valid_s) {
  const Key key = MakeKey();
  std::string names = "DNS:localhost";
  for (const std::string& uri : uris) names += ",URI:" + uri;
  const Certificate certificate = Sign(*key, name, names, valid_s);
  Write(name + ".key", Pem([&](BIO* out) {
          PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        }));
  Write(name + ".pem", Pem([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); }));
}

void TestAuthority::Write(const std::string& name, const std::string& text) const {
  const std::string path = Path(name);
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

}  // namespace hubbub::rpc
