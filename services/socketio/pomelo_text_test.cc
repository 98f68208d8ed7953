#include "services/socketio/pomelo_text.h"

#include "gtest/gtest.h"

namespace hubbub::socketio {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

// What pomelo-jsclient-socket.io makes of its arguments: the numbers are those of its Protocol.encode.
TEST(PomeloText, ReadsWhatTheStockClientWrites) {
  struct Case {
    std::string text;
    uint32_t id;
    std::string_view route;
    std::string_view body;
  };
  const Case cases[] = {
      {"\0\0\0\2\5a.b.c{\"x\":1}"s, 2, "a.b.c", "{\"x\":1}"},
      {"\0\0\0\0\5a.b.c{}"s, 0, "a.b.c", "{}"},
      // The bytes 0x80 to 0xff are characters of two bytes in UTF-8.
      {"\0\0\u00ff\u0080\5a.b.c"s, 0xff80, "a.b.c", ""},
      {"\u00ff\u00ff\u00ff\u00ff\0"s, 0xffffffff, "", ""},
      {"\0\0\0\1\1é{\"é\":\"😂\"}"s, 1, "é", "{\"é\":\"😂\"}"},
  };
  for (const Case& one : cases) {
    const auto request = DecodePomeloText(one.text);
    ASSERT_TRUE(request.ok()) << one.text << request.status();
    EXPECT_EQ(request->id, one.id) << one.text;
    EXPECT_EQ(request->route, one.route) << one.text;
    EXPECT_EQ(request->body, one.body) << one.text;
  }
}

TEST(PomeloText, RefusesWhatIsNoMessage) {
  for (const std::string& text : {""s, "\0\0\0"s, "\0\0\0\1"s, "\0\0\0\1\5a.b"s, "hello, world"s,
                                  "\0\0\0€\1a"s, "\0\0\0\xc3"s, "\0\0\0\xff\1a"s})
    EXPECT_FALSE(DecodePomeloText(text).ok()) << text;
}

TEST(PomeloText, ComesBackAsItWasWritten) {
  for (const uint32_t id : {0u, 1u, 0x7fu, 0x80u, 0xffu, 0x12345678u, 0xffffffffu}) {
    const std::string text = EncodePomeloText({.id = id, .route = "a.b.c", .body = "{}"});
    const auto request = DecodePomeloText(text);
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(request->id, id);
    EXPECT_EQ(request->route, "a.b.c");
    EXPECT_EQ(request->body, "{}");
  }
}

}  // namespace
}  // namespace hubbub::socketio
