#include "services/net/testing/test_certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace hubbub::net {
namespace {

void Check(bool good) {
  if (!good) throw std::runtime_error("OpenSSL cannot make a certificate");
}

template <typename Write>
std::string PemOf(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  Check(bio != nullptr && write(bio) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

void Replace(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

}  // namespace

TestCertificate MakeTestCertificate(std::string_view name, int days) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const made = X509_new();
  Check(key != nullptr && made != nullptr);
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -2 * 24 * 3600);
  X509_gmtime_adj(X509_getm_notAfter(made), days * 24L * 3600);
  X509_NAME* const subject = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(made, subject);
  X509_set_pubkey(made, key);
  Check(X509_sign(made, key, EVP_sha256()) > 0);
  TestCertificate pem{.certificate = PemOf([&](BIO* bio) { return PEM_write_bio_X509(bio, made); }),
                      .key = PemOf([&](BIO* bio) {
                        return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
                      })};
  X509_free(made);
  EVP_PKEY_free(key);
  return pem;
}

TestCertificateFiles::TestCertificateFiles(const TestCertificate& certificate)
    : folder_(std::filesystem::temp_directory_path() / "hubbub-tls-XXXXXX") {
  if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder for a certificate");
  Write(certificate);
}

TestCertificateFiles::~TestCertificateFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestCertificateFiles::Write(const TestCertificate& certificate) const {
  Replace(files().certificate, certificate.certificate);
  Replace(files().key, certificate.key);
}

}  // namespace hubbub::net
