#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "services/base/string_map.h"
#include "services/pomelo/protobuf_shape.h"

namespace hubbub::pomelo {

// How strings stand in protobuf bodies. The stock JavaScript client (`js-websocket`) reads and writes
// characters outside the BMP as CESU-8, all others as UTF-8.
enum class TextEncoding { kUtf8, kCesu8 };

// Message bodies in Pomelo's own dialect of protobuf (pomelo-protobuf 0.4), by route. Unlike Google's:
// - a field's wire type is a hint that some clients get wrong; the schema alone says what follows a tag;
// - int32 and int64 are zig-zag, as sInt32 and sInt64 are;
// - repeated numbers are one tag, their count and the numbers; repeated strings and messages have a tag each.
//
// The stock library computes with doubles, so its 32-bit types hold up to 53 bits of varint, and here as
// well: uInt32 or double is how a time in milliseconds reaches a stock client. The 64-bit types and bool are
// Pinus's, unknown to stock clients; a repeated int64 or bool is refused, for clients do not agree on its
// form. Immutable after Parse, so thread-safe.
class Schema {
 public:
  // From Pomelo's serverProtos.json or clientProtos.json:
  //   {"onMove": {"required uInt32 id": 1, "message At": {"required double x": 1}, "repeated At path": 2}}
  // A message type is looked up in the message that uses it, then among the root's "message X".
  // INVALID_ARGUMENT, with the place, for all that the stock parser would pass over in silence: unknown
  // keywords and types, tags used twice.
  static absl::StatusOr<Schema> Parse(const boost::json::object& protos);

  // The compiled form that a handshake carries, as the stock parser makes it.
  boost::json::object ToJson() const;

  bool Has(std::string_view route) const { return roots_.contains(route); }

  // REQUIRES: Has(route), else NOT_FOUND. INVALID_ARGUMENT, with the field, if the bytes end too early, hold
  // a tag that the schema lacks, lack a required field, hold text that is neither UTF-8 nor CESU-8, a number
  // that JSON cannot say, or messages in messages deeper than 32. Text comes out as ToUtf8 has it. Memory is
  // taken in proportion to the bytes alone.
  absl::StatusOr<boost::json::object> Decode(std::string_view route, std::string_view bytes) const;

  // Appends `message`, whose text is valid UTF-8, to `out`, in its own order of fields. Fields that the
  // schema lacks are left out; null counts as absent; a message with no field at all has no bytes. REQUIRES:
  // Has(route), else NOT_FOUND. INVALID_ARGUMENT, and `out` as it was, if a required field is missing or a
  // value does not fit its field's type.
  absl::Status Encode(std::string_view route, const boost::json::object& message, TextEncoding encoding,
                      std::string& out) const;

 private:
  Schema() = default;

  std::vector<MessageShape> shapes_;
  StringMap<size_t> roots_;  // By route or "message X".
};

}  // namespace hubbub::pomelo
