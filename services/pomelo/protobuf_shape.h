#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "services/base/string_map.h"

namespace hubbub::pomelo {

// What a Schema knows of one message type: plain data behind protobuf.h.

enum class FieldOption { kRequired, kOptional, kRepeated };

enum class FieldKind { kUInt32, kSInt32, kUInt64, kSInt64, kBool, kFloat, kDouble, kString, kMessage };

struct FieldShape {
  std::string name;
  std::string type;  // As the schema writes it.
  FieldOption option = FieldOption::kOptional;
  FieldKind kind = FieldKind::kMessage;
  uint32_t tag = 0;
  size_t message = 0;  // Of kMessage: its index in the schema.
};

struct MessageShape {
  std::string path;  // For errors: "onMove", "onMove.Path".
  std::vector<FieldShape> fields;
  absl::flat_hash_map<uint32_t, size_t> by_tag;        // Indices into fields.
  StringMap<size_t> by_name;                           // The same.
  std::vector<std::pair<std::string, size_t>> nested;  // Its own message types, by index in the schema.
};

// Repeated numbers go as one tag with a count, all else with a tag for each element.
inline bool IsCounted(FieldKind kind) {
  return kind != FieldKind::kString && kind != FieldKind::kMessage;
}

// Bounds the recursion of parsing, decoding and encoding alike.
inline constexpr size_t kMaxMessageDepth = 32;

// The largest varint of a 32-bit field: what a double holds exactly.
inline constexpr uint64_t kMaxNarrowVarint = (uint64_t{1} << 53) - 1;

}  // namespace hubbub::pomelo
