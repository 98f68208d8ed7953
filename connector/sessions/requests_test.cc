#include "connector/sessions/requests.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/limits.h"

namespace hubbub::connector {
namespace {

using ::testing::HasSubstr;

struct Case {
  boost::json::object body;
  std::string error;
};

TEST(RequestsTest, AnEnterThatCannotBeReadIsToldWhy) {
  const std::vector<Case> cases = {
      {{}, "username is missing"},
      {{{"username", "ann"}}, "rid is missing"},
      {{{"username", true}, {"rid", "lobby"}}, "username must be"},
      {{{"username", ""}, {"rid", "lobby"}}, "username is empty"},
      {{{"username", "ann"}, {"rid", "*"}}, "rid is '*'"},
  };
  for (const auto& [body, error] : cases)
    EXPECT_THAT(std::string(ReadEnter(body).status().message()), HasSubstr(error));
}

TEST(RequestsTest, AnEnterSaysWhatTheClientHasSeen) {
  const auto plain = ReadEnter({{"username", 7}, {"rid", "lobby"}});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->user, "7") << "a number is a name";
  EXPECT_EQ(plain->epoch, 0u);
  const auto seen = ReadEnter({{"username", "ann"}, {"rid", "lobby"}, {"epoch", 9}, {"offset", 4}});
  EXPECT_EQ(seen->epoch, 9u);
  EXPECT_EQ(seen->offset, 4u);
  EXPECT_EQ(ReadEnter({{"username", "ann"}, {"rid", "lobby"}, {"epoch", 9}})->epoch, 0u)
      << "an epoch means nothing without an offset";
}

TEST(RequestsTest, ATokenIsTakenAsItWasMade) {
  const std::string token = NewToken();
  EXPECT_TRUE(LooksLikeAToken(token));
  EXPECT_NE(token, NewToken());
  const auto read = [](const std::string& resume) {
    return ReadEnter({{"username", "ann"}, {"rid", "lobby"}, {"resume", resume}})->resume;
  };
  EXPECT_EQ(read(token), token);
  EXPECT_EQ(read(token + "0"), "") << "none of ours";
  EXPECT_FALSE(LooksLikeAToken("none"));
}

TEST(RequestsTest, ASendThatCannotBeReadIsToldWhy) {
  const std::vector<Case> cases = {
      {{}, "rid is missing"},
      {{{"rid", "lobby"}}, "content is missing"},
      {{{"rid", "lobby"}, {"content", "hi"}}, "target is missing"},
      {{{"rid", "lobby"}, {"content", "hi"}, {"target", ""}}, "target is empty"},
      {{{"rid", "lobby"}, {"content", "hi"}, {"target", "*"}, {"id", ""}}, "id is empty"},
      {{{"rid", "lobby"}, {"content", std::string(kMaxContentBytes + 1, 'x')}, {"target", "*"}},
       "content has 32769 bytes"},
  };
  for (const auto& [body, error] : cases)
    EXPECT_THAT(std::string(ReadSend(body).status().message()), HasSubstr(error));
}

TEST(RequestsTest, ASendIsReadAsItIs) {
  const auto send = ReadSend({{"rid", "lobby"}, {"content", ""}, {"target", "*"}, {"id", "a"}});
  ASSERT_TRUE(send.ok());
  EXPECT_EQ(send->room(), "lobby");
  EXPECT_EQ(send->target(), "*");
  EXPECT_EQ(send->id(), "a");
  EXPECT_EQ(send->from(), "") << "the session knows the sender";
}

}  // namespace
}  // namespace hubbub::connector
