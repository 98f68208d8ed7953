#include "services/client/session_pass.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "services/base/clock.h"
#include "services/signin/testing/test_tokens.h"

namespace hubbub::client {
namespace {

using signin::TestIssuer;

TEST(SessionPass, AnOpenServerAllowsEverything) {
  SessionPass pass(nullptr);
  EXPECT_TRUE(pass.open());
  EXPECT_TRUE(pass.Show("junk", SystemNowMs()).ok());
  EXPECT_TRUE(pass.MayActAs("anybody").ok());
  EXPECT_TRUE(pass.MayEnter("anywhere").ok());
  EXPECT_TRUE(pass.MaySpeak().ok());
  EXPECT_FALSE(pass.Ended(SystemNowMs()));
}

TEST(SessionPass, NothingIsAllowedBeforeATokenIsShown) {
  const TestIssuer issuer;
  SessionPass pass(&issuer.checker());
  EXPECT_TRUE(pass.Show("", SystemNowMs()).ok()) << "the client may show one later";
  for (const absl::Status& status : {pass.MayActAs("ada"), pass.MayEnter("lobby"), pass.MaySpeak()}) {
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  }
}

TEST(SessionPass, ATokenIsForItsUserAlone) {
  const TestIssuer issuer;
  SessionPass pass(&issuer.checker());
  ASSERT_TRUE(pass.Show(TestIssuer::TokenFor("ada"), SystemNowMs()).ok());
  EXPECT_TRUE(pass.MayActAs("ada").ok());
  EXPECT_TRUE(pass.MayEnter("lobby").ok());
  EXPECT_TRUE(pass.MaySpeak().ok());
  const absl::Status status = pass.MayActAs("bob");
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(status.message(), "your sign-in token is for 'ada': you cannot be 'bob'");
}

TEST(SessionPass, ABadTokenChangesNothing) {
  const TestIssuer issuer;
  SessionPass pass(&issuer.checker());
  ASSERT_TRUE(pass.Show(TestIssuer::TokenFor("ada"), SystemNowMs()).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(pass.Show("junk", SystemNowMs())));
  EXPECT_TRUE(absl::IsUnauthenticated(pass.Show(TestIssuer::TokenThatEnds("ada", -1), SystemNowMs())));
  EXPECT_TRUE(absl::IsPermissionDenied(pass.Show(TestIssuer::TokenFor("bob"), SystemNowMs())));
  EXPECT_TRUE(pass.MayActAs("ada").ok());
}

TEST(SessionPass, EndsWithItsTokenUnlessANewOneIsShown) {
  const TestIssuer issuer;
  SessionPass pass(&issuer.checker());
  const int64_t now = SystemNowMs();
  ASSERT_TRUE(pass.Show(TestIssuer::TokenThatEnds("ada", 60'000), now).ok());
  EXPECT_FALSE(pass.Ended(now));
  EXPECT_TRUE(pass.Ended(now + 120'000));
  ASSERT_TRUE(pass.Show(TestIssuer::TokenThatEnds("ada", 600'000), now).ok());
  EXPECT_FALSE(pass.Ended(now + 120'000));
}

TEST(SessionPass, RightsAndRoomsAreHeld) {
  const TestIssuer issuer;
  SessionPass pass(&issuer.checker());
  ASSERT_TRUE(
      pass.Show(TestIssuer::Sign(
                    R"({"sub":"ada","exp":4102444800,"hubbub_rooms":["lobby"],"hubbub_rights":["read"]})"),
                SystemNowMs())
          .ok());
  EXPECT_TRUE(pass.MayEnter("lobby").ok());
  EXPECT_EQ(pass.MayEnter("cellar").message(), "the sign-in token is not for room 'cellar'");
  EXPECT_TRUE(absl::IsPermissionDenied(pass.MaySpeak()));
  SessionPass mute(&issuer.checker());
  ASSERT_TRUE(mute.Show(TestIssuer::Sign(R"({"sub":"ada","exp":4102444800,"hubbub_rights":["speak"]})"),
                        SystemNowMs())
                  .ok());
  EXPECT_TRUE(absl::IsPermissionDenied(mute.MayEnter("lobby")));
}

TEST(BearerCheck, SaysWhyATokenIsNotTaken) {
  const TestIssuer issuer;
  EXPECT_EQ(BearerCheck(nullptr), nullptr);
  const auto check = BearerCheck(&issuer.checker());
  EXPECT_EQ(check(TestIssuer::TokenFor("ada")), std::nullopt);
  EXPECT_NE(check("junk").value_or("").find("is not a JWT"), std::string::npos);
}

}  // namespace
}  // namespace hubbub::client
