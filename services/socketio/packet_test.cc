#include "services/socketio/packet.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::socketio {
namespace {

using ::testing::HasSubstr;
using enum PacketType;

// The examples of the protocols' documents.
TEST(Packet, ReadsPackets) {
  struct Case {
    std::string_view text;
    PacketType type;
    std::string_view nsp;
    std::optional<std::string_view> id;
    std::string_view data;
    size_t attachments = 0;
    std::string_view query = "";
  };
  const Case cases[] = {
      {"0", kConnect, "/", {}, ""},
      {R"(0{"token":"123"})", kConnect, "/", {}, R"({"token":"123"})"},
      {"0/admin,", kConnect, "/admin", {}, ""},
      {"0/admin", kConnect, "/admin", {}, ""},
      {R"(0/admin,{"sid":"oSO0"})", kConnect, "/admin", {}, R"({"sid":"oSO0"})"},
      {"0/admin?token=1234&uid=abcd", kConnect, "/admin", {}, "", 0, "token=1234&uid=abcd"},
      {"1/admin,", kDisconnect, "/admin", {}, ""},
      {"1", kDisconnect, "/", {}, ""},
      {R"(2["hello",1])", kEvent, "/", {}, R"(["hello",1])"},
      {R"(2/admin,456["project:delete",123])", kEvent, "/admin", "456", R"(["project:delete",123])"},
      {"212[\"foo\"]", kEvent, "/", "12", "[\"foo\"]"},
      {"3/admin,456[]", kAck, "/admin", "456", "[]"},
      {R"(4/admin,{"message":"Not authorized"})",
       kConnectError,
       "/admin",
       {},
       R"({"message":"Not authorized"})"},
      {"4\"Not authorized\"", kConnectError, "/", {}, "\"Not authorized\""},
      {R"(51-["hello",{"_placeholder":true,"num":0}])",
       kBinaryEvent,
       "/",
       {},
       R"(["hello",{"_placeholder":true,"num":0}])",
       1},
      {R"(51-/admin,456["project:delete",{"_placeholder":true,"num":0}])", kBinaryEvent, "/admin", "456",
       R"(["project:delete",{"_placeholder":true,"num":0}])", 1},
      {R"(61-/admin,456[{"_placeholder":true,"num":0}])", kBinaryAck, "/admin", "456",
       R"([{"_placeholder":true,"num":0}])", 1},
  };
  for (const Case& one : cases) {
    const auto packet = DecodePacket(one.text);
    ASSERT_TRUE(packet.ok()) << one.text << packet.status();
    EXPECT_EQ(packet->type, one.type) << one.text;
    EXPECT_EQ(packet->nsp, one.nsp) << one.text;
    EXPECT_EQ(packet->id, one.id) << one.text;
    EXPECT_EQ(packet->data, one.data) << one.text;
    EXPECT_EQ(packet->attachments, one.attachments) << one.text;
    EXPECT_EQ(packet->query, one.query) << one.text;
  }
}

TEST(Packet, RefusesWhatIsNone) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "none of the types"},
      {"abc", "none of the types"},
      {"7[]", "none of the types"},
      {"2", "no array"},
      {"2{}", "no array"},
      {"2abc[\"x\"]", "no array"},
      {"2/chat[\"x\"]", "no array"},  // All of it is taken for the namespace.
      {"3[]", "no id"},
      {"3/admin,[]", "no id"},
      {"0[]", "no object"},
      {"0\"x\"", "no object"},
      {"012{}", "has an id"},
      {"1{}", "has data"},
      {"5[\"x\"]", "how many attachments"},
      {"5-[\"x\"]", "how many attachments"},
      {"5", "how many attachments"},
      {"517-[\"x\"]", "more than 16 attachments"},
      {"599999999999999999999999-[\"x\"]", "more than 16 attachments"},
      {"212345678901234567[\"x\"]", "more than 16 digits"},
      {"0/" + std::string(kMostNamespaceBytes, 'a'), "more than 256 bytes"},
  };
  for (const auto& [text, why] : cases) {
    const auto packet = DecodePacket(text);
    ASSERT_FALSE(packet.ok()) << text;
    EXPECT_THAT(std::string(packet.status().message()), HasSubstr(why)) << text;
  }
}

TEST(Packet, TellsTheValuesOfAnEventApart) {
  struct Case {
    std::string_view data;
    std::string_view name;
    std::string_view argument;
    size_t arguments;
  };
  const Case cases[] = {
      {R"(["enter"])", "enter", "", 0},
      {R"([ "enter" , {"a":[1,2],"b":"]}"} ])", "enter", R"({"a":[1,2],"b":"]}"})", 1},
      {R"(["x",{"a":"\"],"},[3,{}],4])", "x", R"({"a":"\"],"})", 3},
      {R"(["gr\u00fc\u00dfe, \"you\"",1])", "grüße, \"you\"", "1", 1},
      {R"(["",null])", "", "null", 1},
  };
  for (const Case& one : cases) {
    const auto event = ReadEvent(one.data);
    ASSERT_TRUE(event.ok()) << one.data << event.status();
    EXPECT_EQ(event->name, one.name) << one.data;
    EXPECT_EQ(event->argument, one.argument) << one.data;
    EXPECT_EQ(event->arguments, one.arguments) << one.data;
  }
  for (const std::string_view data : {"", "[", "]", "[]", "{}", "[1]", "[{}]", "[\"x\",]", "[,\"x\"]",
                                      "[\"x\",1]2]", "[\"x]", "[\"\\ud800\"]", "[\"x\"},1]"})
    EXPECT_FALSE(ReadEvent(data).ok()) << data;
}

TEST(Packet, WritesHeads) {
  std::string out;
  AppendHead(kEvent, "/", "", out);
  out += "[] ";
  AppendHead(kAck, "/chat", "12", out);
  EXPECT_EQ(out, "2[] 3/chat,12");
}

}  // namespace
}  // namespace hubbub::socketio
