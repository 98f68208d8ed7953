#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace hubbub::rpc {

// A certificate authority for tests, with a folder of its own for what it signs. Not thread-safe.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // A file of the folder, such as ca.pem, its own certificate.
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Ca() const { return Path("ca.pem"); }
  // Writes NAME.pem and NAME.key: a certificate with these URIs for a new key, for the name localhost too.
  void Issue(const std::string& name, const std::vector<std::string>& uris, int64_t valid_s = 3600);
  // A text file, replaced in one step.
  void Write(const std::string& name, const std::string& text) const;

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const;
  };
  struct FreeCertificate {
    void operator()(X509* certificate) const;
  };
  using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
  using Certificate = std::unique_ptr<X509, FreeCertificate>;

  static Key MakeKey();
  // Signed by the authority's key; `names` as the extension subjectAltName has them, empty for the authority.
  Certificate Sign(EVP_PKEY& key, const std::string& common_name, const std::string& names, int64_t valid_s);

  const std::filesystem::path folder_;
  const Key key_;
  Certificate certificate_;
  int serial_ = 0;
};

}  // namespace hubbub::rpc
