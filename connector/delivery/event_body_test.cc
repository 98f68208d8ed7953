#include "connector/delivery/event_body.h"

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "services/pomelo/body.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::connector {
namespace {

using chat::v1::Event;

std::string JsonOf(const Event& event) {
  std::string out = "before ";
  EventBody(event).AppendJson(out);
  EXPECT_TRUE(out.starts_with("before "));
  return out.substr(7);
}

Event Message(const std::string& content) {
  Event event;
  event.set_room("lobby");
  event.set_epoch(7);
  event.set_offset(2);
  event.set_time_ms(1700000000000);
  event.mutable_message()->set_content(content);
  event.mutable_message()->set_from("ann");
  event.mutable_message()->set_target("*");
  return event;
}

// The bytes that Boost.JSON's serializer and EscapeNonBmp make of these bodies.
TEST(EventBody, TextIsEscapedAsStockClientsReadIt) {
  const std::string half = "\xed\xa0\xbd";  // Half of a surrogate pair, which no UTF-8 text has.
  const struct {
    const char* what;
    std::string text;
    std::string json;
  } cases[] = {
      {"nothing", "", ""},
      {"plain", "hi there, how are you?", "hi there, how are you?"},
      {"quotes and slashes", R"(a "b" \c /d)", R"(a \"b\" \\c /d)"},
      {"short escapes", "\b\f\n\r\t", R"(\b\f\n\r\t)"},
      {"U+0000", std::string("a\0b", 3), R"(a\u0000b)"},
      {"control characters", "\x01\x0b\x1b\x1f", R"(\u0001\u000b\u001b\u001f)"},
      {"U+007F", "\x7f", "\x7f"},
      {"two bytes", "\xc2\x80 \xc3\xa9 \xdf\xbf", "\xc2\x80 \xc3\xa9 \xdf\xbf"},
      {"three bytes", "\xe2\x80\xa8 \xe6\x97\xa5 \xef\xbf\xbf", "\xe2\x80\xa8 \xe6\x97\xa5 \xef\xbf\xbf"},
      {"four bytes", "\xf0\x9f\x98\x82", R"(\ud83d\ude02)"},
      {"the first and the last of them", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", R"(\ud800\udc00\udbff\udfff)"},
      {"a lone surrogate", half, half},
      {"a lone surrogate before an escape", half + "\n", half + "\\n"},
      {"four bytes cut short", "\xf0\x9f\x98", "\xf0\x9f\x98"},
      {"bytes that begin nothing", "\xff\xf8\x80", "\xff\xf8\x80"},
      {"an escape after each length of text", "\"1\"12\"123\"1234\"12345\"123456\"1234567\"12345678\"",
       R"(\"1\"12\"123\"1234\"12345\"123456\"1234567\"12345678\")"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Event event = Message(c.text);
    EXPECT_EQ(JsonOf(event),
              R"({"route":"onChat","msg":")" + c.json +
                  R"(","from":"ann","target":"*","rid":"lobby","offset":2,"epoch":7,"time":1700000000000})");
    EXPECT_EQ(JsonOf(event), pomelo::JsonBody(EventBody(event).object()));
  }
}

TEST(EventBody, HasTheFieldsOfItsKind) {
  struct Case {
    Event event;
    std::string json;
  } cases[7];
  cases[0].json =
      R"({"route":"onChat","msg":"","from":"","target":"","rid":"","offset":0,"epoch":0,"time":0})";

  Event& longest = cases[1].event;
  longest.set_offset(std::numeric_limits<uint64_t>::max());
  longest.set_epoch(4503599627370497);
  longest.set_time_ms(std::numeric_limits<int64_t>::max());
  longest.mutable_joined()->set_user(
      "\"b\xc3\xb6"
      "b\"");
  cases[1].json =
      "{\"route\":\"onAdd\",\"user\":\"\\\"b\xc3\xb6"
      "b\\\"\",\"rid\":\"\",\"offset\":18446744073709551615,"
      "\"epoch\":4503599627370497,\"time\":9223372036854775807}";

  Event& least = cases[2].event;
  least.set_room("\xf0\x9f\x98\x82");
  least.set_offset(10);
  least.set_epoch(100);
  least.set_time_ms(std::numeric_limits<int64_t>::min());
  least.mutable_left()->set_user("bob");
  cases[2].json = R"({"route":"onLeave","user":"bob","rid":"\ud83d\ude02","offset":10,"epoch":100,)"
                  R"("time":-9223372036854775808})";

  Event& full = cases[3].event;
  full = Message("hi");
  full.mutable_message()->set_from("\n");
  full.mutable_message()->set_target("\t");
  full.set_room("\\");
  full.set_time_ms(-1);
  cases[3].json =
      R"({"route":"onChat","msg":"hi","from":"\n","target":"\t","rid":"\\","offset":2,"epoch":7,"time":-1})";

  cases[4].event.mutable_joined();
  cases[4].json = R"({"route":"onAdd","user":"","rid":"","offset":0,"epoch":0,"time":0})";
  cases[5].event.mutable_left();
  cases[5].json = R"({"route":"onLeave","user":"","rid":"","offset":0,"epoch":0,"time":0})";

  cases[6].event.mutable_joined();
  cases[6].event.set_change(3);
  cases[6].json = R"({"route":"onAdd","user":"","rid":"","epoch":0,"time":0})";

  for (const Case& c : cases) {
    SCOPED_TRACE(c.json);
    EXPECT_EQ(JsonOf(c.event), c.json);
    EXPECT_EQ(pomelo::JsonBody(EventBody(c.event).object()), c.json);
    google::protobuf::RepeatedPtrField<Event> events;
    *events.Add() = c.event;
    EXPECT_EQ(pomelo::JsonBody(PushBodies(events)), "[" + c.json + "]");
  }
}

TEST(EventBody, TextAndObjectAgreeForAnyBytes) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    Event event = Message(i % 2 == 0 ? pomelo::RandomBytes(random, 60) : pomelo::RandomText(random, 60));
    event.set_offset(uint64_t{random()} << 32 | random());
    EXPECT_EQ(JsonOf(event), pomelo::JsonBody(EventBody(event).object()));
  }
}

}  // namespace
}  // namespace hubbub::connector
