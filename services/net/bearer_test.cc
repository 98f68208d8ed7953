#include "services/net/bearer.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

// Nothing: a fault.
std::optional<std::string> Bearer(std::string_view target, const std::vector<HttpField>& fields) {
  const auto found = BearerOf({.method = "GET", .target = target, .fields = fields}, target);
  if (const auto* token = std::get_if<std::string>(&found)) return *token;
  EXPECT_EQ(std::get<HttpFault>(found).status, 400);
  return std::nullopt;
}

TEST(Bearer, IsFoundInTheQueryOrInAuthorization) {
  const struct {
    const char* target;
    std::vector<HttpField> fields;
    const char* token;
  } cases[] = {
      {"/", {}, ""},
      {"/?", {}, ""},
      {"/?access_token=a.b-c_d", {}, "a.b-c_d"},
      {"/?EIO=4&access_token=a.b&t=1", {}, "a.b"},
      {"/?access_token=", {}, ""},
      {"/?xaccess_token=a", {}, ""},
      {"/?t=1#access_token=a", {}, ""},
      {"/", {{"Authorization", "Bearer a.b"}}, "a.b"},
      {"/", {{"authorization", "bearer   a.b"}}, "a.b"},
      {"/", {{"Authorization", "Basic dTpw"}}, ""},
      {"/?access_token=a", {{"Authorization", "Basic dTpw"}}, "a"},
      {"/", {{"Authorization", "Bearer"}}, ""},
  };
  for (const auto& one : cases) EXPECT_EQ(Bearer(one.target, one.fields), one.token) << one.target;
}

TEST(Bearer, TwoAreAFault) {
  EXPECT_EQ(Bearer("/?access_token=a&access_token=a", {}), std::nullopt);
  EXPECT_EQ(Bearer("/?access_token=a", {{"Authorization", "Bearer a"}}), std::nullopt);
  EXPECT_EQ(Bearer("/", {{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}), std::nullopt);
}

}  // namespace
}  // namespace hubbub::net
