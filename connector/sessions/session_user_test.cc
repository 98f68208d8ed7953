#include "connector/sessions/session_user.h"

#include <functional>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {
namespace {

using std::chrono::milliseconds;

class SessionUserTest : public ::testing::Test {
 protected:
  SessionUserTest() {
    options_.contract = &contract_;
    options_.pushes = &pushes_;
  }
  // On the loop, with the user of a session whose client is of this type.
  void Run(const std::function<void(SessionUser&)>& test, std::string_view type = "") {
    client::OnLoop(loops_.at(0), [&] {
      client::FakeSession session(loops_.at(0), options_);
      session.connection.Feed(client::from_client::Handshake(type));
      SessionUser user(*session, registry_, encoder_, milliseconds(3'000));
      test(user);
      user.SignOut();
      EXPECT_TRUE(registry_.All().empty());
    });
  }
  static EnterRequest Wish(const std::string& user, const std::string& resume = "") {
    return {.user = user, .room = "lobby", .sign_in = {}, .resume = resume};
  }

  net::Loops loops_{1};
  const client::ClientContract contract_{false, false, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  client::PomeloOptions options_;
  Encoder encoder_{encodings_};
  client::SessionRegistry registry_{loops_.at(0)};
};

TEST_F(SessionUserTest, IsWhomTheFirstEnterNames) {
  Run([&](SessionUser& user) {
    EXPECT_EQ(user.name(), "");
    const Membership::Who who = user.Enter(Wish("ann"));
    EXPECT_EQ(who.user, "ann");
    EXPECT_EQ(who.room, "lobby");
    EXPECT_NE(who.address, 0u);
    EXPECT_TRUE(LooksLikeAToken(who.token));
    EXPECT_EQ(user.name(), "ann");
    ASSERT_NE(registry_.SessionsOf("ann"), nullptr);
    EXPECT_EQ(registry_.SessionsOf("ann")->size(), 1u);
    const Membership::Who next = user.Enter(Wish("ann"));
    EXPECT_EQ(next.token, who.token) << "one for all rooms";
    EXPECT_EQ(registry_.SessionsOf("ann")->size(), 1u);
  });
}

TEST_F(SessionUserTest, MayBeAnotherOneOnceItIsSignedOut) {
  Run([&](SessionUser& user) {
    const Membership::Who ann = user.Enter(Wish("ann"));
    user.SignOut();
    EXPECT_EQ(user.name(), "");
    EXPECT_EQ(registry_.SessionsOf("ann"), nullptr);
    const Membership::Who bob = user.Enter(Wish("bob"));
    EXPECT_EQ(bob.user, "bob");
    EXPECT_EQ(bob.token, ann.token) << "a place that the session may have left behind is its own";
    EXPECT_NE(registry_.SessionsOf("bob"), nullptr);
  });
}

TEST_F(SessionUserTest, ATokenThatIsShownIsThePlaces) {
  const std::string shown(kTokenBytes, 'a');
  const std::string another(kTokenBytes, 'b');
  Run([&](SessionUser& user) {
    EXPECT_EQ(user.Enter(Wish("ann", shown)).token, shown);
    EXPECT_EQ(user.Enter(Wish("ann", another)).token, another);
    EXPECT_EQ(user.Enter(Wish("ann")).token, shown) << "the session's is the first one";
    EXPECT_EQ(user.Enter(Wish("ann", "no token")).token, shown);
  });
}

TEST_F(SessionUserTest, ANameIsKeptByTheAddressForClientsThatKnowNoTokens) {
  const struct {
    const char* type;
    std::string resume;
    uint32_t wait_ms;
  } cases[] = {
      {"js-websocket", "", 3'000},
      {"js-websocket", "no token", 3'000},
      {"js-websocket", std::string(kTokenBytes, 'a'), 0},
      {"hubbub-web", "", 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.type) + " " + c.resume);
    Run(
        [&](SessionUser& user) {
          EXPECT_EQ(user.Enter(Wish("ann", c.resume)).wait_ms, c.wait_ms);
          EXPECT_EQ(user.WaitMs(), c.wait_ms);
          EXPECT_EQ(user.KnowsTokens(), c.wait_ms == 0);
        },
        c.type);
  }
}

}  // namespace
}  // namespace hubbub::connector
