#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/rpc/roles.h"

namespace hubbub::rpc {

// What a server shows to others by gRPC, and whom it trusts: PEM files.
struct CertificateFiles {
  std::string certificate;  // The server's own, and those between it and the authority.
  std::string key;          // Its private key.
  std::string authority;    // The certificates of the authorities that may sign others.
};

// What stands in them.
struct Certificate {
  Caller holder;
  int64_t expires_s = 0;  // Since 1970, UTC.
};

// Reads the files as gRPC will. The error names the file and says what is wrong, such as a key that is not
// the certificate's, or a certificate that has expired at `now_s`: gRPC would refuse every call and not say
// why.
absl::StatusOr<Certificate> ReadCertificate(const CertificateFiles& files, int64_t now_s);

// OK if the certificate makes its holder a server of this role, and names no other id.
absl::Status CheckHolder(const Certificate& certificate, Role role, std::string_view id);

}  // namespace hubbub::rpc
