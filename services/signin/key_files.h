#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/signin/jwk.h"

namespace hubbub::signin {

// The keys in a file, or in the files of a folder, hidden ones aside. The name of a file says what it holds:
//
//   NAME.pem, NAME.crt    a public key or a certificate, whose `kid` is NAME
//   NAME.json, NAME.jwks  a JWK set, or one JWK
//   NAME.secret           the secret of HS256, whose `kid` is NAME; a line feed at its end does not count
//
// Files of a folder with other names are passed over. INVALID_ARGUMENT or NOT_FOUND names the file and says
// what is wrong with it; no key at all is wrong too.
absl::StatusOr<KeySet> ReadKeys(const std::string& path);

// Changes whenever one of these files may have: their names, sizes, times and places on disk. Empty if there
// is nothing to look at.
std::string FilesStamp(const std::string& path);

}  // namespace hubbub::signin
