#include "services/net/client_address.h"

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

TEST(ForwardedClient, IsTheFirstFromTheRightThatIsNoProxy) {
  const Networks trusted = Networks::Parse({"10.0.0.0/8", "fd00::/8"}).value();
  const struct {
    const char* what;
    std::vector<HttpField> fields;
    const char* client;  // Empty: nobody.
  } cases[] = {
      {"nothing", {}, ""},
      {"one", {{"X-Forwarded-For", "192.0.2.1"}}, "192.0.2.1:0"},
      {"with a port", {{"X-Forwarded-For", "192.0.2.1:4711"}}, "192.0.2.1:0"},
      {"IPv6", {{"X-Forwarded-For", "2001:db8::1"}}, "2001:db8::1:0"},
      {"IPv6 with a port", {{"X-Forwarded-For", "[2001:db8::1]:80"}}, "2001:db8::1:0"},
      {"proxies behind it", {{"X-Forwarded-For", "192.0.2.1, 10.0.0.1, fd00::2"}}, "192.0.2.1:0"},
      {"what the client made up before it",
       {{"X-Forwarded-For", "203.0.113.5, 192.0.2.1, 10.0.0.1"}},
       "192.0.2.1:0"},
      {"several fields",
       {{"X-Forwarded-For", "203.0.113.5"}, {"x-forwarded-for", "192.0.2.1"}},
       "192.0.2.1:0"},
      {"proxies alone", {{"X-Forwarded-For", "10.0.0.1"}}, ""},
      {"junk", {{"X-Forwarded-For", "junk"}}, ""},
      {"junk behind it", {{"X-Forwarded-For", "192.0.2.1, junk"}}, ""},
      {"junk before it", {{"X-Forwarded-For", "junk, 192.0.2.1"}}, "192.0.2.1:0"},
      {"Forwarded", {{"Forwarded", "for=192.0.2.1;proto=http;by=10.0.0.1"}}, "192.0.2.1:0"},
      {"Forwarded, IPv6", {{"Forwarded", "proto=http; For=\"[2001:db8::1]:4711\""}}, "2001:db8::1:0"},
      {"Forwarded, a list", {{"Forwarded", "for=192.0.2.1, for=10.0.0.7"}}, "192.0.2.1:0"},
      {"Forwarded, a name", {{"Forwarded", "for=_hidden"}}, ""},
      {"Forwarded, nobody", {{"Forwarded", "proto=http"}}, ""},
      {"IPv4 in IPv6's form", {{"X-Forwarded-For", "::ffff:192.0.2.1"}}, "192.0.2.1:0"},
      {"IPv6 with junk", {{"X-Forwarded-For", "[2001:db8::1]junk"}}, ""},
      {"blanks and empty elements",
       {{"X-Forwarded-For", " , 203.0.113.5 ,\t192.0.2.1 \t, ,"}},
       "192.0.2.1:0"},
      {"several fields, proxies in the last",
       {{"X-Forwarded-For", "203.0.113.5, 192.0.2.1"}, {"X-Forwarded-For", "10.0.0.1"}},
       "192.0.2.1:0"},
      {"other fields", {{"X-Real-IP", "192.0.2.1"}, {"X-Forwarded-Host", "192.0.2.1"}}, ""},
      {"Forwarded, a host that has commas",
       {{"Forwarded", "for=192.0.2.1;host=\"a,for=203.0.113.5;x\""}},
       "192.0.2.1:0"},
      {"Forwarded, a host that has semicolons",
       {{"Forwarded", "host=\"a;for=203.0.113.5\\\";\";for=192.0.2.1"}},
       "192.0.2.1:0"},
      {"Forwarded, a host without quotes", {{"Forwarded", "host=a;for=203.0.113.5;for=192.0.2.1"}}, ""},
      {"Forwarded, a quote that the client has left open",
       {{"Forwarded", "for=203.0.113.5;x=\", for=\"[2001:db8::1]\""}},
       "2001:db8::1:0"},
      {"both", {{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", "for=192.0.2.1"}}, "192.0.2.1:0"},
      {"both, in other words",
       {{"X-Forwarded-For", "[2001:db8::1]:80, 10.0.0.1"}, {"Forwarded", "for=\"[2001:DB8:0::1]:4711\""}},
       "2001:db8::1:0"},
      {"both, and each has several fields",
       {{"Forwarded", "for=192.0.2.1"},
        {"X-Forwarded-For", "203.0.113.5, 192.0.2.1"},
        {"Forwarded", "for=10.0.0.9"},
        {"X-Forwarded-For", "10.0.0.1"}},
       "192.0.2.1:0"},
      {"both, and neither can be read", {{"X-Forwarded-For", "unknown"}, {"Forwarded", "for=unknown"}}, ""},
      {"both, and one is empty", {{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", " ,"}}, "192.0.2.1:0"},
  };
  for (const auto& one : cases) {
    HttpHead head;
    head.fields = one.fields;
    const auto said = ForwardedClient(head, trusted);
    ASSERT_TRUE(std::holds_alternative<std::optional<std::string>>(said)) << one.what;
    EXPECT_EQ(std::get<std::optional<std::string>>(said).value_or(""), one.client) << one.what;
  }
}

// Else a client chooses whom it is counted as, by a field of its own that its proxy lets go by.
TEST(ForwardedClient, IsNobodyWhereTheFieldsDiffer) {
  const Networks trusted = Networks::Parse({"10.0.0.0/8"}).value();
  for (const char* forwarded :
       {"for=192.0.2.2", "for=192.0.2.1, for=192.0.2.2", "for=10.0.0.1", "for=unknown", "for=_hidden", "junk",
        "proto=http", "for=\"[::ffff:192.0.2.2]:1\"", "for=192.0.2.1;for=192.0.2.1", "for=\"192.0.2.1"}) {
    HttpHead head;
    head.fields = {{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", forwarded}};
    const auto said = ForwardedClient(head, trusted);
    ASSERT_TRUE(std::holds_alternative<HttpFault>(said)) << forwarded;
    EXPECT_EQ(std::get<HttpFault>(said).status, 400);
  }
  HttpHead head;
  head.fields = {{"X-Forwarded-For", "junk"}, {"Forwarded", "for=192.0.2.1"}};
  EXPECT_TRUE(std::holds_alternative<HttpFault>(ForwardedClient(head, trusted)));
}

}  // namespace
}  // namespace hubbub::net
