#include "services/base/log.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "boost/json.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spdlog/spdlog.h"

namespace hubbub {
namespace {

using ::testing::EndsWith;
using ::testing::MatchesRegex;

std::string Line(spdlog::formatter& formatter, const std::string& payload,
                 spdlog::level::level_enum level = spdlog::level::info) {
  // Three milliseconds after half past midnight of the second day of 1970, in UTC.
  const spdlog::log_clock::time_point time(std::chrono::milliseconds(88'200'003));
  const spdlog::details::log_msg message(time, {}, "hubbub", level, payload);
  spdlog::memory_buf_t out;
  formatter.format(message, out);
  return {out.data(), out.size()};
}

TEST(Log, AJsonLineIsOneObject) {
  const auto formatter = MakeJsonFormatter("chat-\"1\"");
  EXPECT_EQ(Line(*formatter, "a \"word\"" + LogFields({{"request", "a-1"}, {"code", "500"}, {"room", ""}})),
            R"({"time":"1970-01-02T00:30:00.003Z","level":"info","server":"chat-\"1\"",)"
            R"("message":"a \"word\"","request":"a-1","code":"500"})"
            "\n");
  EXPECT_EQ(boost::json::parse(Line(*formatter, "x", spdlog::level::warn)).at("level").as_string(), "warn");
  EXPECT_EQ(boost::json::parse(Line(*formatter, "x", spdlog::level::err)).at("level").as_string(), "error");
}

TEST(Log, ATextLineHasItsFieldsAtTheEnd) {
  const auto formatter = MakeTextFormatter();
  EXPECT_THAT(Line(*formatter, "a word"), MatchesRegex("1970-01-0.T..:..:00.003 info a word\n"));
  EXPECT_THAT(Line(*formatter, "a word" + LogFields({{"request", "a-1"}, {"peer", "two words"}})),
              EndsWith(" a word request=a-1 peer=\"two words\"\n"));
}

TEST(Log, NobodysTextBeginsALineOrIsNoUtf8) {
  const struct {
    std::string payload;
    std::string text;
    std::string message;
  } cases[] = {
      {"two\nlines", "two?lines", "two?lines"},
      {"a\ttab and \x7f", "a?tab and ?", "a?tab and ?"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"cut \xc3", "cut \xc3", "cut ?"},
      {"x" + LogFields({{"user", "a\x1fmessage=b\n"}}), "x user=\"a?message=b?\"", "x"},
  };
  const auto json = MakeJsonFormatter("s");
  const auto text = MakeTextFormatter();
  for (const auto& c : cases) {
    EXPECT_EQ(boost::json::parse(Line(*json, c.payload)).at("message").as_string(), c.message);
    const std::string line = Line(*text, c.payload);
    EXPECT_THAT(line, EndsWith(" " + c.text + "\n"));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  }
}

TEST(Log, RefusesAWordThatIsNone) {
  EXPECT_EQ(SetUpLog({.level = "loud"}).message(),
            "--log_level must be trace, debug, info, warn or error, not 'loud'");
  EXPECT_EQ(SetUpLog({.format = "xml"}).message(), "--log_format must be text or json, not 'xml'");
}

}  // namespace
}  // namespace hubbub
