#include "services/pomelo/package.h"

#include <stdexcept>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/pomelo/body.h"

namespace hubbub::pomelo {
namespace {

uint8_t Byte(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

void PutLength(size_t length, char* three) {
  if (length > kMaxPackageBody) {
    throw std::length_error(fmt::format("a package body of {} bytes: the wire allows {}, send it in parts",
                                        length, kMaxPackageBody));
  }
  three[0] = static_cast<char>(length >> 16);
  three[1] = static_cast<char>(length >> 8);
  three[2] = static_cast<char>(length);
}

}  // namespace

absl::StatusOr<std::optional<PackageAt>> DecodePackage(std::string_view bytes, size_t max_body) {
  if (bytes.empty()) return std::nullopt;
  const uint8_t type = Byte(bytes, 0);
  if (type < static_cast<uint8_t>(PackageType::kHandshake) ||
      type > static_cast<uint8_t>(PackageType::kKick)) {
    return absl::InvalidArgumentError(
        fmt::format("package type {} does not exist: the types are 1 to 5", type));
  }
  if (bytes.size() < kPackageHead) return std::nullopt;
  const size_t length = static_cast<size_t>(Byte(bytes, 1)) << 16 | Byte(bytes, 2) << 8 | Byte(bytes, 3);
  if (length > max_body) {
    return absl::InvalidArgumentError(
        fmt::format("a package announces a body of {} bytes: at most {} are allowed here", length, max_body));
  }
  if (bytes.size() - kPackageHead < length) return std::nullopt;
  return PackageAt{{static_cast<PackageType>(type), bytes.substr(kPackageHead, length)},
                   kPackageHead + length};
}

void AppendPackage(PackageType type, std::string_view body, std::string& out) {
  char head[kPackageHead] = {static_cast<char>(type)};
  PutLength(body.size(), head + 1);
  out.append(head, kPackageHead);
  out.append(body);
}

void AppendKick(std::string_view reason, std::string& out) {
  const boost::json::string text(reason.data(), reason.size());
  AppendPackage(PackageType::kKick, JsonBody(boost::json::object{{"reason", text}}), out);
}

size_t BeginPackage(PackageType type, std::string& out) {
  const size_t start = out.size();
  const char head[kPackageHead] = {static_cast<char>(type)};
  out.append(head, kPackageHead);
  return start;
}

void EndPackage(size_t start, std::string& out) {
  PutLength(out.size() - start - kPackageHead, &out[start + 1]);
}

}  // namespace hubbub::pomelo
