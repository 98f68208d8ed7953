#include <string>

#include "boost/json.hpp"
#include "services/pomelo/protobuf.h"
#include "services/testing/fuzz_check.h"

using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

namespace {

Schema MakeSchema() {
  return *Schema::Parse(boost::json::parse(R"({
    "all": {
      "optional uInt32 u": 1, "optional sInt32 s": 2, "optional int32 i": 3, "optional uInt64 ul": 4,
      "optional sInt64 sl": 5, "optional int64 il": 6, "optional bool b": 7, "optional float f": 8, "optional double d": 9,
      "optional string t": 10, "repeated uInt32 us": 11, "repeated sInt64 ss": 12, "repeated float fs": 13,
      "repeated double ds": 14, "repeated string ts": 15,
      "message Cell": {"required int32 x": 1, "repeated Mark marks": 2, "message Mark": {"required string by": 1}},
      "optional Cell cell": 16, "repeated Cell cells": 17, "optional Tree tree": 18
    },
    "message Tree": {"repeated Tree trees": 1, "optional uInt32 n": 2}
  })")
                            .as_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Schema schema = MakeSchema();
  const auto decoded = schema.Decode("all", FuzzInput(data, size));
  if (!decoded.ok()) return 0;
  for (const TextEncoding encoding : {TextEncoding::kUtf8, TextEncoding::kCesu8}) {
    // All that can be read can be written, and writing has one form only.
    std::string once;
    FUZZ_CHECK(schema.Encode("all", *decoded, encoding, once).ok());
    const auto again = schema.Decode("all", once);
    FUZZ_CHECK(again.ok());
    std::string twice;
    FUZZ_CHECK(schema.Encode("all", *again, encoding, twice).ok());
    FUZZ_CHECK(once == twice);
  }
  return 0;
}
