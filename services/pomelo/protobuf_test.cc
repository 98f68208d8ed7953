#include "services/pomelo/protobuf.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

Schema VectorSchema(std::string_view name) {
  for (const json::value& vector : Vectors("schemas")) {
    if (StringMember(vector, "name") == name) return *Schema::Parse(vector.at("source").as_object());
  }
  ADD_FAILURE() << "no schema " << name;
  return *Schema::Parse({});
}

Schema One(std::string_view field) {
  return *Schema::Parse({{"r", {{json::string(field), 1}}}});
}

std::string EncodeHex(const Schema& schema, const json::object& message,
                      TextEncoding encoding = TextEncoding::kUtf8) {
  std::string out;
  const absl::Status status = schema.Encode("r", message, encoding, out);
  return status.ok() ? ToHex(out) : status.ToString();
}

// Text that JSON would say: easy to compare and to read.
std::string DecodeJson(const Schema& schema, std::string_view hex) {
  const auto decoded = schema.Decode("r", Tight(FromHex(hex)).view());
  return decoded.ok() ? json::serialize(*decoded) : std::string(decoded.status().message());
}

TEST(Protobuf, ReadsWhatTheStockLibrariesWrite) {
  for (const json::value& vector : Vectors("bodies")) {
    const Schema schema = VectorSchema(StringMember(vector, "schema"));
    for (const std::string_view writer : {"server", "client"}) {
      const auto decoded = schema.Decode(StringMember(vector, "route"), HexMember(vector, writer));
      ASSERT_TRUE(decoded.ok()) << decoded.status() << vector;
      EXPECT_TRUE(SameJson(*decoded, vector.at("decoded"))) << writer << " " << *decoded << vector;
    }
  }
}

TEST(Protobuf, WritesWhatTheStockServerWrites) {
  for (const json::value& vector : Vectors("bodies")) {
    const Schema schema = VectorSchema(StringMember(vector, "schema"));
    std::string out = "before";
    const absl::Status status = schema.Encode(StringMember(vector, "route"), vector.at("message").as_object(),
                                              TextEncoding::kUtf8, out);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(ToHex(out), ToHex("before" + HexMember(vector, "server"))) << vector;
  }
}

TEST(Protobuf, WritesTextAsTheBrowserClientDoes) {
  const Schema schema = VectorSchema("chat");
  for (const json::value& vector : Vectors("bodies")) {
    if (StringMember(vector, "schema") != "chat") continue;  // The others' tags differ in the wire type.
    std::string out;
    const absl::Status status = schema.Encode(StringMember(vector, "route"), vector.at("message").as_object(),
                                              TextEncoding::kCesu8, out);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(ToHex(out), StringMember(vector, "client")) << vector;
  }
}

TEST(Protobuf, KeepsNumbersAtTheirLimits) {
  const struct {
    const char* field;
    json::value value;
    const char* hex;
  } cases[] = {
      {"required uInt32 n", 9007199254740991, "08ffffffffffffff0f"},
      {"required sInt32 n", 4503599627370495, "08feffffffffffff0f"},
      {"required int32 n", -4503599627370496, "08ffffffffffffff0f"},
      {"required uInt64 n", std::numeric_limits<uint64_t>::max(), "08ffffffffffffffffff01"},
      {"required sInt64 n", std::numeric_limits<int64_t>::max(), "08feffffffffffffffff01"},
      {"required int64 n", std::numeric_limits<int64_t>::min(), "08ffffffffffffffffff01"},
      {"required bool n", true, "0801"},
      {"required bool n", false, "0800"},
      {"required double n", std::numeric_limits<double>::max(), "09ffffffffffffef7f"},
      {"required float n", std::numeric_limits<float>::max(), "0dffff7f7f"},
      {"required float n", -0.0, "0d00000080"},
  };
  for (const auto& c : cases) {
    const json::object message = {{"n", c.value}};
    const Schema schema = One(c.field);
    EXPECT_EQ(EncodeHex(schema, message), c.hex) << c.field;
    const auto decoded = schema.Decode("r", FromHex(c.hex));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(SameJson(*decoded, message)) << *decoded;
  }
}

TEST(Protobuf, TakesWholeNumbersFromDoubles) {
  EXPECT_EQ(EncodeHex(One("required uInt32 n"), {{"n", 300.0}}), "08ac02");
  EXPECT_EQ(EncodeHex(One("required int32 n"), {{"n", -1.0}}), "0801");
  EXPECT_EQ(EncodeHex(One("required double n"), {{"n", 1}}), "09000000000000f03f");
}

TEST(Protobuf, RefusesToWriteWhatDoesNotFit) {
  const struct {
    const char* field;
    json::value value;
  } cases[] = {
      {"required uInt32 v", -1},
      {"required uInt32 v", 1.5},
      {"required uInt32 v", "1"},
      {"required uInt32 v", 9007199254740992},
      {"required sInt32 v", 4503599627370496},
      {"required uInt64 v", -1},
      {"required sInt64 v", std::numeric_limits<uint64_t>::max()},
      {"required sInt64 v", 1e300},
      {"required bool v", 1},
      {"required float v", 1e39},
      {"required double v", std::numeric_limits<double>::infinity()},
      {"required double v", std::numeric_limits<double>::quiet_NaN()},
      {"required string v", 1},
      {"required string v", json::array{}},
      {"required string v", nullptr},
      {"repeated string v", "a"},
      {"repeated uInt32 v", {1, "2"}},
  };
  for (const auto& c : cases) {
    std::string out = "before";
    const absl::Status status = One(c.field).Encode("r", {{"v", c.value}}, TextEncoding::kUtf8, out);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.field << c.value;
    EXPECT_THAT(std::string(status.message()), HasSubstr("r.v")) << c.field;
    EXPECT_EQ(out, "before");
  }
}

TEST(Protobuf, WritesOnlyWhatTheSchemaHas) {
  const Schema schema =
      *Schema::Parse({{"r", {{"required string a", 1}, {"optional string b", 2}, {"repeated uInt32 c", 3}}}});
  EXPECT_EQ(EncodeHex(schema, {{"x", 1}, {"a", "A"}, {"b", nullptr}, {"c", json::array{}}}), "0a0141");
  EXPECT_THAT(EncodeHex(schema, {{"b", "B"}}), HasSubstr("r.a is required and missing"));
}

TEST(Protobuf, ReadsAnyWireType) {
  for (const std::string_view hex : {"0805", "0905", "0a05", "0d05", "0f05"}) {
    EXPECT_EQ(DecodeJson(One("required uInt32 n"), hex), R"({"n":5})");
  }
}

TEST(Protobuf, LetsTheLastOfASingleFieldWin) {
  EXPECT_EQ(DecodeJson(One("required uInt32 n"), "08010802"), R"({"n":2})");
}

TEST(Protobuf, AddsUpTheElementsOfARepeatedField) {
  EXPECT_EQ(DecodeJson(One("repeated uInt32 n"), "08020102080103"), R"({"n":[1,2,3]})");
}

// As the browser client writes a text that was cut in the middle of an emoji.
TEST(Protobuf, HasAReplacementWhereHalfOfAnEmojiIsMissing) {
  EXPECT_EQ(DecodeJson(One("required string v"), "0a0461eda0bd"), "{\"v\":\"a\xef\xbf\xbd\"}");
}

TEST(Protobuf, RefusesBrokenBodies) {
  const struct {
    const char *field, *hex, *why;
  } cases[] = {
      {"required uInt32 v", "", "r lacks its required field v"},
      {"required uInt32 v", "80", "r ends inside a tag"},
      {"required uInt32 v", "1001", "r has no field with tag 2"},
      {"required uInt32 v", "8880808080800101", "r has no field with tag"},
      {"required uInt32 v", "0001", "r has no field with tag 0"},
      {"required uInt32 v", "08", "r.v is not a whole varint"},
      {"required uInt32 v", "0880", "r.v is not a whole varint"},
      {"required uInt32 v", "08ffffffffffffff1f", "r.v does not fit its type"},
      {"required uInt64 v", "08ffffffffffffffffff02", "r.v is not a whole varint"},
      {"required uInt64 v", "0880808080808080808080800100", "r.v is not a whole varint"},
      {"required float v", "0d000000", "r.v ends inside a number"},
      {"required float v", "0d0000807f", "r.v is not a finite number"},
      {"required double v", "0900000000000000", "r.v ends inside a number"},
      {"required double v", "09000000000000f8ff", "r.v is not a finite number"},
      {"required string v", "0a", "r.v ends inside its length"},
      {"required string v", "0a024a", "r.v announces 2 bytes, but 1 are left"},
      {"required string v", "0affffffffffffffffff01", "bytes, but 0 are left"},
      {"required string v", "0a01ff", "r.v is neither UTF-8 nor CESU-8"},
      {"repeated uInt32 v", "08", "r.v ends inside its count"},
      {"repeated uInt32 v", "0802017f7f", "r has no field with tag 15"},
      {"repeated uInt32 v", "08030101", "r.v announces 3 elements, but 2 bytes are left"},
      {"repeated uInt32 v", "08ffffffffffffffffff0101", "elements, but 1 bytes are left"},
      {"repeated double v", "09020000000000000000", "r.v announces 2 elements, but 8 bytes are left"},
  };
  for (const auto& c : cases)
    EXPECT_THAT(DecodeJson(One(c.field), c.hex), HasSubstr(c.why)) << c.field << " " << c.hex;
}

// `bytes`, at most 127, as a message in field 1.
std::string Wrapped(const std::string& bytes) {
  std::string wrapped = {'\x0a', static_cast<char>(bytes.size())};
  return wrapped += bytes;
}

TEST(Protobuf, BoundsTheDepthOfMessages) {
  const Schema schema = *Schema::Parse({{"r", {{"optional N n", 1}}}, {"message N", {{"optional N n", 1}}}});
  json::object message;
  std::string bytes;
  for (int depth = 1; depth < 32; ++depth) {
    message = json::object{{"n", message}};
    bytes = Wrapped(bytes);
  }
  EXPECT_EQ(EncodeHex(schema, message), ToHex(bytes));
  EXPECT_EQ(json::parse(DecodeJson(schema, ToHex(bytes))), message);

  message = json::object{{"n", message}};
  bytes = Wrapped(bytes);
  EXPECT_THAT(EncodeHex(schema, message), HasSubstr("deeper than 32"));
  EXPECT_THAT(DecodeJson(schema, ToHex(bytes)), HasSubstr("deeper than 32"));
}

TEST(Protobuf, IsAnErrorOrAShorterBodyAtEveryPrefix) {
  for (const json::value& vector : Vectors("bodies")) {
    const Schema schema = VectorSchema(StringMember(vector, "schema"));
    const std::string bytes = HexMember(vector, "server");
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Tight prefix(std::string_view(bytes).substr(0, size));
      const auto decoded = schema.Decode(StringMember(vector, "route"), prefix.view());
      if (decoded.ok()) {
        EXPECT_FALSE(SameJson(*decoded, vector.at("decoded"))) << size << vector;
      }
    }
  }
}

json::object RandomBoard(std::mt19937& random, int depth) {
  json::object cell = {{"x", static_cast<int>(random())}, {"y", static_cast<int>(random()) >> random() % 32}};
  if (random() % 2 == 0) {
    json::array marks;
    for (size_t n = 1 + random() % 3; n > 0; --n)
      marks.push_back({{"by", RandomText(random, 10)}, {"at", random()}});
    cell["marks"] = std::move(marks);
  }
  json::object board = {{"first", cell}};
  if (random() % 2 == 0) board["cells"] = json::array{cell, cell};
  json::object owner = {{"name", RandomText(random, 10)}};
  for (; depth > 0; --depth) owner = json::object{{"name", RandomText(random, 10)}, {"parent", owner}};
  board["owner"] = std::move(owner);
  return board;
}

TEST(Protobuf, ComesBackAsItWasWritten) {
  const Schema schema = VectorSchema("nested");
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const json::object message = RandomBoard(random, i % 20);
    for (const TextEncoding encoding : {TextEncoding::kUtf8, TextEncoding::kCesu8}) {
      std::string out;
      ASSERT_TRUE(schema.Encode("board", message, encoding, out).ok());
      const auto decoded = schema.Decode("board", Tight(out).view());
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_TRUE(SameJson(*decoded, message)) << *decoded << message;
    }
  }
}

TEST(Protobuf, HasNothingForARouteThatItLacks) {
  const Schema schema = One("required uInt32 n");
  std::string out;
  EXPECT_EQ(schema.Decode("other", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(schema.Encode("other", {}, TextEncoding::kUtf8, out).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hubbub::pomelo
