#include "services/net/frame.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

TEST(FrameTest, AHeaderIsTheShortestThatFits) {
  // RFC 6455, 5.2.
  const struct {
    size_t body;
    std::string header;
  } cases[] = {
      {1, "\x82\x01"},
      {125, "\x82\x7d"},
      {126, std::string("\x82\x7e\x00\x7e", 4)},
      {150, std::string("\x82\x7e\x00\x96", 4)},
      {65'535, "\x82\x7e\xff\xff"},
      {65'536, std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10)},
      {70'000, std::string("\x82\x7f\0\0\0\0\0\x01\x11\x70", 10)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.body);
    const std::string body(c.body, 'b');
    std::string out = "before";
    const auto append = [&](std::string& to) { to += body; };
    EXPECT_EQ(AppendFrame(Framing::kBinary, out, append), body);
    EXPECT_EQ(out, "before" + c.header + body);
    std::string text;
    EXPECT_EQ(AppendFrame(Framing::kText, text, append), body);
    EXPECT_EQ(text, "\x81" + c.header.substr(1) + body);
  }
}

TEST(FrameTest, FramesFollowEachOther) {
  std::string out;
  for (const char* body : {"a", "", "bc"}) {
    AppendFrame(Framing::kBinary, out, [body](std::string& to) { to += body; });
  }
  EXPECT_EQ(out,
            "\x82\x01"
            "a\x82\x02"
            "bc")
      << "nothing is no frame";
  std::string plain = "before ";
  EXPECT_EQ(AppendFrame(Framing::kNone, plain, [](std::string& to) { to += "plain"; }), "plain");
  EXPECT_EQ(plain, "before plain");
}

}  // namespace
}  // namespace hubbub::net
