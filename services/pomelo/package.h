#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::pomelo {

// The outer layer of the Pomelo wire: a type byte, the body's length in three bytes, big-endian, and the body
// (pomelo-protocol's Package). Pure functions, thread-safe. Views point into the bytes that were decoded.

enum class PackageType : uint8_t {
  kHandshake = 1,
  kHandshakeAck = 2,
  kHeartbeat = 3,
  kData = 4,
  kKick = 5,
};

inline constexpr size_t kPackageHead = 4;
inline constexpr size_t kMaxPackageBody = (1u << 24) - 1;  // What three bytes can say.

struct Package {
  PackageType type = PackageType::kHandshake;
  std::string_view body;
};

struct PackageAt {
  Package package;
  size_t size = 0;  // In bytes, head included: where the next package begins.
};

// The package at the start of `bytes`; nothing if it is not whole yet. INVALID_ARGUMENT for a type that does
// not exist, known from the first byte, and for a body above `max_body` bytes, known from the first four: a
// peer cannot make its reader wait for, or make room for, more than `max_body`.
absl::StatusOr<std::optional<PackageAt>> DecodePackage(std::string_view bytes, size_t max_body);

// Appends a package to `out`. REQUIRES: body.size() <= kMaxPackageBody, else std::length_error.
void AppendPackage(PackageType type, std::string_view body, std::string& out);

// Appends a kick with the JSON {"reason": …}: the stock JavaScript client parses the body of every kick.
void AppendKick(std::string_view reason, std::string& out);

// The same as AppendPackage without a copy of the body: BeginPackage, append the body to `out`, then
// EndPackage with what BeginPackage returned. EndPackage throws std::length_error if the body is above
// kMaxPackageBody.
size_t BeginPackage(PackageType type, std::string& out);
void EndPackage(size_t start, std::string& out);

}  // namespace hubbub::pomelo
