#include "services/signin/jws.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/signin/base64url.h"
#include "services/signin/refused.h"
#include "services/signin/strict_json.h"

namespace hubbub::signin {
namespace {

namespace json = boost::json;

struct Header {
  Algorithm algorithm;
  std::optional<std::string> key_id;
};

absl::StatusOr<Header> ReadHeader(std::string_view text) {
  const auto object = ParseStrictObject(text);
  if (!object.ok())
    return Refused(
        fmt::format("has a header that cannot be read: {}", std::string(object.status().message())));
  // Whatever it lists would have to be understood (RFC 7515, 4.1.11), and there is nothing here that is.
  if (object->contains("crit")) return Refused("demands extensions ('crit') that this server does not know");
  const json::value* name = object->if_contains("alg");
  if (name == nullptr || !name->is_string())
    return Refused("does not say how it is signed: its header has no 'alg'");
  const json::string& text_of_name = name->get_string();
  const auto algorithm = AlgorithmNamed({text_of_name.data(), text_of_name.size()});
  if (!algorithm) {
    return Refused(
        text_of_name == "none"
            ? "is not signed ('alg' is none)"
            : "is signed in a way that this server does not take: HS256, RS256, ES256 and EdDSA are");
  }
  Header header{.algorithm = *algorithm, .key_id = std::nullopt};
  if (const json::value* id = object->if_contains("kid")) {
    if (!id->is_string()) return Refused("has a 'kid' that is not text");
    header.key_id = std::string(id->get_string().data(), id->get_string().size());
  }
  return header;
}

absl::Status CheckSignature(const Header& header, std::string_view bytes, std::string_view signature,
                            const std::vector<Key>& keys) {
  bool named = false;
  bool fits = false;
  for (const Key& key : keys) {
    if (header.key_id && key.id() != *header.key_id) continue;
    named = true;
    if (key.algorithm() != header.algorithm) continue;
    fits = true;
    if (key.Verify(bytes, signature)) return absl::OkStatus();
  }
  if (!named) return Refused("names a key ('kid') that this server does not have");
  if (!fits) return Refused(fmt::format("says {}, which its key is not for", ToString(header.algorithm)));
  return Refused("has a signature that is not its issuer's");
}

}  // namespace

absl::StatusOr<std::string> OpenToken(std::string_view token, const std::vector<Key>& keys) {
  if (token.size() > kMaxTokenBytes)
    return Refused(fmt::format("has {} bytes: at most {} are taken", token.size(), kMaxTokenBytes));
  constexpr std::string_view kForm = "is not a JWT: three parts in base64url with dots between them";
  if (std::count(token.begin(), token.end(), '.') != 2) return Refused(kForm);
  const size_t first = token.find('.');
  const size_t last = token.rfind('.');
  const auto header_text = FromBase64Url(token.substr(0, first));
  auto payload = FromBase64Url(token.substr(first + 1, last - first - 1));
  const auto signature = FromBase64Url(token.substr(last + 1));
  if (!header_text || !payload || !signature) return Refused(kForm);
  const auto header = ReadHeader(*header_text);
  if (!header.ok()) return header.status();
  if (absl::Status status = CheckSignature(*header, token.substr(0, last), *signature, keys); !status.ok())
    return status;
  return *std::move(payload);
}

}  // namespace hubbub::signin
