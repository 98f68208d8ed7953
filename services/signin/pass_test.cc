#include "services/signin/pass.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "services/signin/testing/vectors.h"

namespace hubbub::signin {
namespace {

TEST(ReadPass, TakesTheUserAndTheEnd) {
  const auto pass = ReadPass(R"({"sub":"ada","exp":1700000100.5})", {}, kNowMs);
  ASSERT_TRUE(pass.ok()) << pass.status();
  EXPECT_EQ(pass->user, "ada");
  EXPECT_EQ(pass->ends_ms, kNowMs + 100'500 + kLeewaySeconds * 1'000);
  EXPECT_TRUE(pass->may_read);
  EXPECT_TRUE(pass->may_speak);
  EXPECT_TRUE(pass->Names("anywhere"));
}

TEST(ReadPass, ClocksMayDifferALittle) {
  EXPECT_TRUE(ReadPass(R"({"sub":"ada","exp":1699999991})", {}, kNowMs).ok());
  EXPECT_FALSE(ReadPass(R"({"sub":"ada","exp":1699999990})", {}, kNowMs).ok());
  EXPECT_TRUE(ReadPass(R"({"sub":"ada","exp":1700000100,"nbf":1700000010})", {}, kNowMs).ok());
  EXPECT_FALSE(ReadPass(R"({"sub":"ada","exp":1700000100,"nbf":1700000011})", {}, kNowMs).ok());
}

TEST(ReadPass, SaysWhatIsWrong) {
  const struct {
    const char* claims;
    const char* why;
  } cases[] = {
      {"no", "claims that cannot be read"},
      {R"({"sub":"ada","sub":"bob","exp":1700000100})", "two members"},
      {R"({"sub":"ada"})", "no 'exp'"},
      {R"({"sub":"ada","exp":"1700000100"})", "no moment"},
      {R"({"sub":"ada","exp":-1})", "no moment"},
      {R"({"sub":"ada","exp":1e300})", "no moment"},
      {R"({"sub":"ada","exp":1699999000})", "ended 1000 s ago"},
      {R"({"sub":"ada","exp":1700000100,"nbf":1700000050})", "begins in 50 s"},
      {R"({"sub":"ada","exp":1700000100,"nbf":[]})", "no moment"},
      {R"({"exp":1700000100})", "names no user"},
      {R"({"sub":7,"exp":1700000100})", "names no user"},
      {R"({"sub":"","exp":1700000100})", "a user that cannot be: sub is empty"},
      {R"({"sub":"*","exp":1700000100})", "a user that cannot be"},
      {R"({"sub":"ada","exp":1700000100,"hubbub_rooms":"lobby"})", "'hubbub_rooms' that is no list"},
      {R"({"sub":"ada","exp":1700000100,"hubbub_rooms":[1]})", "'hubbub_rooms' that is no list"},
      {R"({"sub":"ada","exp":1700000100,"hubbub_rights":{}})", "'hubbub_rights' that is no list"},
      {R"({"sub":"ada","exp":1700000100,"aud":"chat"})", "--signin_audience"},
  };
  for (const auto& one : cases) {
    const auto pass = ReadPass(one.claims, {}, kNowMs);
    ASSERT_FALSE(pass.ok()) << one.claims;
    EXPECT_TRUE(absl::IsUnauthenticated(pass.status()));
    EXPECT_NE(std::string(pass.status().message()).find(one.why), std::string::npos)
        << one.claims << pass.status();
  }
}

TEST(ReadPass, HoldsAudienceAndIssuerAgainstTheServers) {
  const PassRules rules{.audience = "hubbub", .issuer = "https://issuer.example"};
  const struct {
    const char* claims;
    const char* why;  // Empty: it is right.
  } cases[] = {
      {R"("aud":"hubbub","iss":"https://issuer.example")", ""},
      {R"("aud":["other","hubbub"],"iss":"https://issuer.example")", ""},
      {R"("iss":"https://issuer.example")", "names no audience"},
      {R"("aud":"other","iss":"https://issuer.example")", "another audience"},
      {R"("aud":[],"iss":"https://issuer.example")", "another audience"},
      {R"("aud":["other"],"iss":"https://issuer.example")", "another audience"},
      {R"("aud":7,"iss":"https://issuer.example")", "neither a text nor a list"},
      {R"("aud":[7],"iss":"https://issuer.example")", "neither a text nor a list"},
      {R"("aud":"hubbub")", "another issuer"},
      {R"("aud":"hubbub","iss":"https://issuer.example/")", "another issuer"},
      {R"("aud":"hubbub","iss":["https://issuer.example"])", "another issuer"},
  };
  for (const auto& one : cases) {
    const auto pass =
        ReadPass(std::string(R"({"sub":"ada","exp":1700000100,)") + one.claims + "}", rules, kNowMs);
    EXPECT_EQ(pass.ok(), std::string_view(one.why).empty()) << one.claims << pass.status();
    EXPECT_NE(std::string(pass.status().message()).find(one.why), std::string::npos)
        << one.claims << pass.status();
  }
}

TEST(ReadPass, ClaimsNarrowRoomsAndRights) {
  const auto pass = ReadPass(
      R"({"sub":"ada","exp":1700000100,"hubbub_rooms":["lobby","team-*"],"hubbub_rights":["read","of tomorrow"]})",
      {}, kNowMs);
  ASSERT_TRUE(pass.ok()) << pass.status();
  EXPECT_TRUE(pass->may_read);
  EXPECT_FALSE(pass->may_speak);
  EXPECT_TRUE(pass->Names("lobby"));
  EXPECT_TRUE(pass->Names("team-"));
  EXPECT_TRUE(pass->Names("team-7"));
  EXPECT_FALSE(pass->Names("lobby2"));
  EXPECT_FALSE(pass->Names("team"));
  EXPECT_FALSE(pass->Names("Lobby"));
}

TEST(ReadPass, AnEmptyListAllowsNothing) {
  const auto pass =
      ReadPass(R"({"sub":"ada","exp":1700000100,"hubbub_rooms":[],"hubbub_rights":[]})", {}, kNowMs);
  ASSERT_TRUE(pass.ok()) << pass.status();
  EXPECT_FALSE(pass->may_read);
  EXPECT_FALSE(pass->may_speak);
  EXPECT_FALSE(pass->Names("lobby"));
}

}  // namespace
}  // namespace hubbub::signin
