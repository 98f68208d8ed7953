#include "connector/sessions/requests.h"

#include <string>
#include <utility>
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

boost::json::object RoomSeen(const char* rid) {
  return {{"rid", rid}, {"epoch", 7}, {"offset", 3}};
}

boost::json::object Recover(boost::json::value rooms) {
  return {{"username", "ann"}, {"resume", std::string(kTokenBytes, 'a')}, {"rooms", std::move(rooms)}};
}

TEST(RequestsTest, ARecoverIsAnEnterForEachRoom) {
  boost::json::object body = Recover(boost::json::array{RoomSeen("lobby"), RoomSeen("attic")});
  body["token"] = "jwt";
  body["attempt"] = 9;
  const auto enters = ReadRecover(body);
  ASSERT_TRUE(enters.ok()) << enters.status();
  ASSERT_EQ(enters->size(), 2U);
  for (const EnterRequest& enter : *enters) {
    EXPECT_EQ(enter.user, "ann");
    EXPECT_EQ(enter.sign_in, "jwt");
    EXPECT_EQ(enter.resume, std::string(kTokenBytes, 'a'));
    EXPECT_EQ(enter.attempt, 9U);
    EXPECT_EQ(enter.epoch, 7U);
    EXPECT_EQ(enter.offset, 3U);
  }
  EXPECT_EQ((*enters)[0].room, "lobby");
  EXPECT_EQ((*enters)[1].room, "attic");
}

TEST(RequestsTest, ARecoverThatCannotBeReadIsToldWhy) {
  boost::json::array many;
  for (size_t i = 0; i <= kMostRecoveredRooms; ++i)
    many.push_back(RoomSeen(("r" + std::to_string(i)).c_str()));
  boost::json::object no_token = Recover(boost::json::array{RoomSeen("lobby")});
  no_token["resume"] = "abc";
  const std::vector<Case> cases = {
      {{}, "rooms must be"},
      {Recover(boost::json::array()), "rooms must be"},
      {Recover("lobby"), "rooms must be"},
      {Recover(many), "rooms must be an array of 1 to 16"},
      {Recover(boost::json::array{"lobby"}), "rooms must be an array of objects"},
      {Recover(boost::json::array{boost::json::object()}), "rid is missing"},
      {Recover(boost::json::array{boost::json::object{{"rid", "lobby"}, {"epoch", 7}}}), "needs the epoch"},
      {Recover(boost::json::array{RoomSeen("lobby"), RoomSeen("lobby")}), "named twice"},
      {no_token, "resume must be"},
  };
  for (const auto& [body, error] : cases)
    EXPECT_THAT(std::string(ReadRecover(body).status().message()), HasSubstr(error));
}

}  // namespace
}  // namespace hubbub::connector
