#include "services/socketio/engine_packet.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::socketio {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;
using Packets = std::vector<EnginePacket>;

constexpr EngineVersion k3 = EngineVersion::k3;
constexpr EngineVersion k4 = EngineVersion::k4;

EnginePacket Text(EngineType type, std::string data = "") {
  return {.type = type, .binary = false, .data = std::move(data)};
}
EnginePacket Bytes(std::string data) {
  return {.type = EngineType::kMessage, .binary = true, .data = std::move(data)};
}

struct PayloadCase {
  EngineVersion version;
  std::string body;
  Packets packets;
  bool octets = false;
};

// The examples of the protocols' documents, and what they leave to the reader.
TEST(EnginePacket, ReadsPayloads) {
  const std::vector<PayloadCase> cases = {
      {k4, "4hello", {Text(EngineType::kMessage, "hello")}},
      {k4, "2", {Text(EngineType::kPing)}},
      {k4, "2probe", {Text(EngineType::kPing, "probe")}},
      {k4,
       "4hello\x1e"
       "2\x1e"
       "4world",
       {Text(EngineType::kMessage, "hello"), Text(EngineType::kPing), Text(EngineType::kMessage, "world")}},
      {k4, "4hello\x1e"s + "bAQIDBA==", {Text(EngineType::kMessage, "hello"), Bytes("\1\2\3\4")}},
      {k4, "4€\x1e"s + "4😂", {Text(EngineType::kMessage, "€"), Text(EngineType::kMessage, "😂")}},
      {k3, "1:2", {Text(EngineType::kPing)}},
      {k3, "6:4hello2:4€", {Text(EngineType::kMessage, "hello"), Text(EngineType::kMessage, "€")}},
      {k3, "6:4hello10:b4AQIDBA==", {Text(EngineType::kMessage, "hello"), Bytes("\1\2\3\4")}},
      // JavaScript counts a character beyond U+FFFF twice.
      {k3, "3:4😂1:2", {Text(EngineType::kMessage, "😂"), Text(EngineType::kPing)}},
      {k3,
       "\0\6\xff"s + "4hello" + "\1\5\xff\4\1\2\3\4"s,
       {Text(EngineType::kMessage, "hello"), Bytes("\1\2\3\4")},
       true},
      {k3, "\0\1\0\xff"s + "4123456789", {Text(EngineType::kMessage, "123456789")}, true},
  };
  for (const PayloadCase& one : cases) {
    const auto packets = DecodePayload(one.version, one.body, one.octets);
    ASSERT_TRUE(packets.ok()) << one.body << packets.status();
    EXPECT_EQ(*packets, one.packets) << one.body;
  }
}

TEST(EnginePacket, RefusesWhatIsNoPayload) {
  struct Case {
    EngineVersion version;
    std::string body;
    std::string_view why;
    bool octets = false;
  };
  const std::vector<Case> cases = {
      {k4, "", "empty"},
      {k4, "abc", "none of the types"},
      {k4, "7", "none of the types"},
      {k4, "4a\x1e", "empty"},
      {k4, "\x1e", "empty"},
      {k4, "b&&&", "not base64"},
      {k3, "abc", "no length"},
      {k3, "6", "no length"},
      {k3, ":4", "no length"},
      {k3, "7:4hello", "ends before"},
      {k3, "2:4😂", "ends before"},
      {k3, "0:", "empty"},
      {k3, "1:7", "none of the types"},
      {k3, "9999999999:4", "no length"},
      {k3, "999999999:4", "ends before"},
      {k3, "1:b", "empty"},
      {k3, "\2\1\xff"s + "4", "neither text nor bytes", true},
      {k3, "\0\xff"s + "4", "no length", true},
      {k3, "\0\1"s, "no length", true},
      {k3, "\0\2\xff"s + "4", "ends before", true},
      {k3, "\1\1\xff"s + "4", "none of the types", true},
  };
  for (const Case& one : cases) {
    const auto packets = DecodePayload(one.version, one.body, one.octets);
    ASSERT_FALSE(packets.ok()) << one.body;
    EXPECT_THAT(std::string(packets.status().message()), HasSubstr(one.why)) << one.body;
  }
}

TEST(EnginePacket, BoundsThePacketsOfAPayload) {
  std::string k4_body = "2";
  std::string k3_body;
  std::string octets;
  for (size_t i = 0; i < kMostPackets; ++i) {
    k4_body += "\x1e"s + "2";
    k3_body += "1:2";
    octets += "\0\1\xff"s + "2";
  }
  EXPECT_FALSE(DecodePayload(k4, k4_body, false).ok());
  EXPECT_TRUE(DecodePayload(k3, k3_body, false).ok());
  EXPECT_FALSE(DecodePayload(k3, k3_body + "1:2", false).ok());
  EXPECT_FALSE(DecodePayload(k3, octets + "\0\1\xff"s + "2", true).ok());
}

TEST(EnginePacket, ReadsMessagesOfWebSockets) {
  EXPECT_EQ(*DecodeText(k4, "4hello"), Text(EngineType::kMessage, "hello"));
  EXPECT_EQ(*DecodeBytes(k4, "\1\2"), Bytes("\1\2"));
  EXPECT_EQ(*DecodeBytes(k4, ""), Bytes(""));
  EXPECT_EQ(*DecodeBytes(k3, "\4\1\2"), Bytes("\1\2"));
  EXPECT_FALSE(DecodeBytes(k3, "").ok());
  EXPECT_FALSE(DecodeBytes(k3, "\7").ok());
  EXPECT_EQ(*TypeOf("3"), EngineType::kPong);
  EXPECT_FALSE(TypeOf("").ok());
}

TEST(EnginePacket, WritesPayloads) {
  std::string k4_body;
  std::string k3_body;
  for (const std::string_view packet : {"4hello", "2", "4€😂"}) {
    AppendToPayload(k4, packet, k4_body);
    AppendToPayload(k3, packet, k3_body);
  }
  EXPECT_EQ(k4_body, "4hello\x1e"s + "2\x1e" + "4€😂");
  EXPECT_EQ(k3_body, "6:4hello1:24:4€😂");
}

}  // namespace
}  // namespace hubbub::socketio
