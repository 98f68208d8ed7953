#include "services/rpc/tokens.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/testing/test_authority.h"
#include "services/testing/test_log.h"

namespace hubbub::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOne(32, '1');
const std::string kTwo(64, '2');

class TokensTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Tokens>> Open(const std::string& text) {
    folder_.Write("tokens", text);
    return Tokens::Open(folder_.Path("tokens"));
  }
  std::string WhyNot(const std::string& text) { return std::string(Open(text).status().message()); }

  TestAuthority folder_;
};

TEST_F(TokensTest, NameTheirHoldersAndScopes) {
  const auto tokens = Open("# who may call\n\n weather  publish,read\t" + kOne + "\r\nops admin " + kTwo);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  const auto weather = (*tokens)->Find(kOne);
  ASSERT_TRUE(weather);
  EXPECT_EQ(weather->Text(), "publish/weather");
  EXPECT_TRUE(weather->Has(Role::kRead));
  EXPECT_FALSE(weather->Has(Role::kAdmin));
  ASSERT_TRUE((*tokens)->Find(kTwo));
  EXPECT_EQ((*tokens)->Find(kTwo)->Text(), "admin/ops");
  for (const std::string& other : {std::string(), kOne + "1", kOne.substr(1), std::string(64, 'x')})
    EXPECT_FALSE((*tokens)->Find(other)) << other;
}

TEST_F(TokensTest, AreRefusedWithTheLineThatIsWrong) {
  EXPECT_THAT(WhyNot("a read " + kOne + "\nb read short"),
              AllOf(HasSubstr("tokens, line 2: the token must have 32 characters"), Not(HasSubstr("short"))));
  EXPECT_THAT(WhyNot("a " + kOne), HasSubstr("line 1: it must be a name, scopes and a token"));
  EXPECT_THAT(WhyNot("a read " + kOne + " more"), HasSubstr("it must be a name, scopes and a token"));
  EXPECT_THAT(WhyNot("a connector " + kOne), HasSubstr("its scopes must be of publish, read and admin"));
  EXPECT_THAT(WhyNot("a read,,admin " + kOne), HasSubstr("its scopes must be of"));
  EXPECT_THAT(WhyNot(std::string(65, 'n') + " read " + kOne), HasSubstr("the name must have 1 to 64"));
  EXPECT_THAT(std::string(Tokens::Open("/nowhere/at/all").status().message()),
              HasSubstr("/nowhere/at/all cannot be read: No such file"));
  EXPECT_THAT(WhyNot(std::string(2 << 20, '#')), HasSubstr("tokens has more than"));
}

TEST_F(TokensTest, FollowTheFileAndStayWhenItIsWrong) {
  const auto tokens = Open("a read " + kOne);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  const hubbub::testing::TestLog log;
  (*tokens)->Poll();
  EXPECT_THAT(log.lines(), ElementsAre());
  folder_.Write("tokens", "a read nonsense");
  (*tokens)->Poll();
  (*tokens)->Poll();
  EXPECT_TRUE((*tokens)->Find(kOne));
  folder_.Write("tokens", "b admin " + kTwo);
  (*tokens)->Poll();
  EXPECT_FALSE((*tokens)->Find(kOne));
  EXPECT_TRUE((*tokens)->Find(kTwo));
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("so those before stay in use"), HasSubstr("1 tokens now")));
}

}  // namespace
}  // namespace hubbub::rpc
