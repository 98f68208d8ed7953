#include "services/client/fields.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/body.h"

namespace hubbub::client {
namespace {

using ::testing::HasSubstr;

boost::json::object Parse(const std::string& body) {
  const auto parsed = pomelo::ParseJsonBody(body);
  EXPECT_TRUE(parsed.ok()) << body << ": " << parsed.status();
  return parsed.ok() ? *parsed : boost::json::object();
}

// The right column is what String(value) gives in JavaScript, but for integers beyond 2^53.
TEST(TextField, TakesNumbersAsTheirDecimalText) {
  const struct {
    std::string json, text;
  } cases[] = {
      {"10001", "10001"},
      {"0", "0"},
      {"-0", "0"},
      {"-0.0", "0"},
      {"0e5", "0"},
      {"-7", "-7"},
      {"1.0", "1"},
      {"1.50", "1.5"},
      {"-1.5", "-1.5"},
      {"1e2", "100"},
      {"12.5e1", "125"},
      {"0.1", "0.1"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"3.141592653589793", "3.141592653589793"},
      {"0.7390851332151607", "0.7390851332151607"},
      {"1234567.891", "1234567.891"},
      {"9007199254740991", "9007199254740991"},
      {"9007199254740993", "9007199254740993"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775807", "9223372036854775807"},
      {"18446744073709551615", "18446744073709551615"},
      {"100000000000000000000", "100000000000000000000"},
      {"123456789012345680000", "123456789012345680000"},
      {"1e21", "1e+21"},
      {"1000000000000000000000", "1e+21"},
      {"1.25e30", "1.25e+30"},
      {"-1e100", "-1e+100"},
      {"0.000001", "0.000001"},
      {"0.0000012", "0.0000012"},
      {"0.0000001", "1e-7"},
      {"1.5e-9", "1.5e-9"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"5e-324", "5e-324"},
      {"1e-999", "0"},
  };
  for (const auto& c : cases) {
    const auto text = TextField(Parse("{\"uid\":" + c.json + "}"), "uid");
    ASSERT_TRUE(text.ok()) << c.json << ": " << text.status();
    EXPECT_EQ(*text, c.text) << c.json;
  }
}

TEST(TextField, LeavesTextAsItIs) {
  for (const std::string text : {"", "10001", "1.50", "\xe5\x90\x8d"})
    EXPECT_EQ(*TextField({{"uid", text}}, "uid"), text);
}

TEST(TextField, NamesTheFieldThatIsNoText) {
  for (const char* json : {"null", "true", "false", "{}", "[]", "[1]", "{\"uid\":1}"}) {
    const auto text = TextField(Parse(std::string("{\"uid\":") + json + "}"), "uid");
    EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_EQ(text.status().message(), "uid must be a text or a number") << json;
  }
  EXPECT_EQ(TextField({{"Uid", "x"}}, "uid").status().message(), "uid is missing");
}

TEST(WholeNumberField, TakesWholeNumbersOnly) {
  const struct {
    const char* json;
    std::optional<uint64_t> number;
  } cases[] = {{"0", 0},
               {"7", 7},
               {"7.0", 7},
               {"1e3", 1000},
               {"9007199254740992", uint64_t{1} << 53},
               {"-1", {}},
               {"1.5", {}},
               {"9007199254740994", {}},
               {"1e300", {}},
               {"\"7\"", {}},
               {"null", {}}};
  for (const auto& c : cases)
    EXPECT_EQ(WholeNumberField(Parse(std::string("{\"n\":") + c.json + "}"), "n"), c.number) << c.json;
  EXPECT_EQ(WholeNumberField({}, "n"), std::nullopt);
}

}  // namespace
}  // namespace hubbub::client
