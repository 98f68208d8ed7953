#pragma once

#include <string>
#include <string_view>

#include "services/net/tls_context.h"

namespace hubbub::net {

// A certificate that signs itself, and its key (P-256), as PEM. Each call makes another key.
struct TestCertificate {
  std::string certificate;
  std::string key;
};
TestCertificate MakeTestCertificate(std::string_view name, int days = 1);

// A folder of its own with a certificate's two files, deleted in the end. Thread-compatible.
class TestCertificateFiles {
 public:
  explicit TestCertificateFiles(const TestCertificate& certificate);
  ~TestCertificateFiles();
  TestCertificateFiles(const TestCertificateFiles&) = delete;
  TestCertificateFiles& operator=(const TestCertificateFiles&) = delete;

  // Each file is replaced as a whole.
  void Write(const TestCertificate& certificate) const;
  TlsFiles files() const { return {.certificate = folder_ + "/tls.crt", .key = folder_ + "/tls.key"}; }

 private:
  std::string folder_;
};

}  // namespace hubbub::net
