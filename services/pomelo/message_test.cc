#include "services/pomelo/message.h"

#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

using ::testing::HasSubstr;

void Append(const Message& message, std::string& out) {
  switch (message.type) {
    case MessageType::kRequest:
      return AppendRequest(message.id, message.route, message.body, out);
    case MessageType::kNotify:
      return AppendNotify(message.route, message.body, out);
    case MessageType::kResponse:
      return AppendResponse(message.id, message.body, out);
    case MessageType::kPush:
      return AppendPush(message.route, message.body, out);
  }
}

void ExpectSame(const Message& a, const Message& b) {
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.route, b.route);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.compressed, b.compressed);
}

TEST(Message, AgreesWithTheStockLibrary) {
  for (const boost::json::value& vector : Vectors("messages")) {
    const std::string body = HexMember(vector, "body");
    const std::string bytes = HexMember(vector, "bytes");
    Message expected;
    expected.type = static_cast<MessageType>(vector.at("type").to_number<int>());
    expected.id = vector.at("id").to_number<uint64_t>();
    expected.body = body;
    expected.compressed = vector.at("gzip").as_bool();
    if (vector.at("route").is_string()) {
      expected.route = StringMember(vector, "route");
    } else {
      expected.route = vector.at("route").to_number<uint16_t>();
    }

    const auto decoded = DecodeMessage(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status() << ToHex(bytes);
    ExpectSame(*decoded, expected);
    if (expected.compressed) continue;  // We never compress.
    std::string out = "before";
    Append(expected, out);
    EXPECT_EQ(ToHex(out), ToHex("before" + bytes));
  }
}

TEST(Message, ComesBackAsItWasWritten) {
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string route = RandomBytes(random, kMaxRouteBytes);
    const std::string body = RandomBytes(random, 100);
    Message message;
    message.type = static_cast<MessageType>(random() % 4);
    if (message.type == MessageType::kRequest || message.type == MessageType::kResponse)
      message.id = random() >> random() % 32;
    if (message.type != MessageType::kResponse) {
      message.route =
          random() % 2 == 0 ? Route(std::string_view(route)) : Route(static_cast<uint16_t>(random()));
    }
    message.body = body;
    std::string out;
    Append(message, out);
    const auto decoded = DecodeMessage(out);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ExpectSame(*decoded, message);
  }
}

TEST(Message, IsAnErrorWhereItsHeadIsCut) {
  for (const boost::json::value& vector : Vectors("messages")) {
    const std::string bytes = HexMember(vector, "bytes");
    const size_t head = bytes.size() - HexMember(vector, "body").size();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Tight prefix(std::string_view(bytes).substr(0, size));
      EXPECT_EQ(DecodeMessage(prefix.view()).ok(), size >= head) << ToHex(prefix.view());
    }
  }
}

TEST(Message, RefusesWhatHasNoMeaning) {
  const struct {
    std::string_view hex, why;
  } cases[] = {
      {"", "empty"},
      {"2001", "bits without a meaning"},
      {"8001", "bits without a meaning"},
      {"0801", "message type 4"},
      {"0e01", "message type 7"},
      {"00", "inside its id"},
      {"04ffff", "inside its id"},
      {"00ffffffffffffffffffff", "longer than 10 bytes"},
      {"0480808080808080808080800161", "longer than 10 bytes"},
      {"0001", "before its route"},
      {"0203612e", "inside its route: 2 of 3"},
      {"0700", "inside its route code"},
  };
  for (const auto& c : cases) {
    const auto decoded = DecodeMessage(Tight(FromHex(c.hex)).view());
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << c.hex;
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(std::string(c.why))) << c.hex;
  }
}

TEST(MessageId, IsReadAsStockClientsWriteIt) {
  const struct {
    uint64_t number;
    std::string_view hex;
  } cases[] = {
      {0, "00"},
      {1, "01"},
      {127, "7f"},
      {128, "8001"},
      {300, "ac02"},
      {0xffffffff, "ffffffff0f"},
      {1ull << 53, "8080808080808010"},
      {~0ull, "ffffffffffffffffff01"},
  };
  for (const auto& c : cases) {
    const std::string bytes = FromHex(c.hex);
    std::string_view rest = bytes;
    const auto id = MessageId::Take(rest);
    ASSERT_TRUE(id.ok()) << c.hex;
    EXPECT_EQ(id->number(), c.number) << c.hex;
    EXPECT_EQ(ToHex(id->bytes()), c.hex);
    EXPECT_EQ(*id, MessageId(c.number)) << c.hex;
  }
}

// Some clients write the most significant group first. Whatever they mean, they find it in the response.
TEST(MessageId, IsAnsweredWithTheBytesThatCame) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const size_t size = 1 + random() % MessageId::kMaxBytes;
    std::string id;
    while (id.size() + 1 < size) id += static_cast<char>(0x80 | (random() % 4 == 0 ? 0 : random()));
    id += static_cast<char>(random() & 0x7f);
    const std::string body = RandomBytes(random, 20);
    const std::string request = std::string(1, '\0') + id + std::string("\x01r") + body;
    const auto decoded = DecodeMessage(Tight(request).view());
    ASSERT_TRUE(decoded.ok()) << ToHex(request) << decoded.status();
    EXPECT_EQ(ToHex(decoded->id.bytes()), ToHex(id));
    std::string response;
    AppendResponse(decoded->id, "{}", response);
    EXPECT_EQ(ToHex(response), ToHex("\x04" + id + "{}"));
  }
}

TEST(Message, RefusesToWriteWhatItsHeadCanNotSay) {
  std::string out;
  EXPECT_THROW(AppendPushHead(std::string(256, 'r'), out), std::length_error);
}

}  // namespace
}  // namespace hubbub::pomelo
