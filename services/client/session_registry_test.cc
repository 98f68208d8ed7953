#include "services/client/session_registry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::client {
namespace {

using ::testing::ElementsAre;

TEST(SessionRegistryTest, KnowsTheSessionsOfEachUser) {
  net::Loops loops(1);
  const ClientContract contract(false, false, std::nullopt);
  PushEncodings encodings;
  const PomeloPushes pushes(contract, encodings);
  PomeloOptions options;
  options.contract = &contract;
  options.pushes = &pushes;
  OnLoop(loops.at(0), [&] {
    SessionRegistry registry(loops.at(0));
    FakeSession one(loops.at(0), options, 1), two(loops.at(0), options, 2), ann(loops.at(0), options, 3);
    EXPECT_EQ(registry.SessionsOf("bob"), nullptr);
    registry.SignIn("bob", *one);
    registry.SignIn("bob", *two);
    registry.SignIn("ann", *ann);
    ASSERT_NE(registry.SessionsOf("bob"), nullptr);
    EXPECT_THAT(*registry.SessionsOf("bob"), ElementsAre(&*one, &*two));
    EXPECT_EQ(registry.All().size(), 3u);
    registry.SignOut("bob", *one);
    EXPECT_THAT(*registry.SessionsOf("bob"), ElementsAre(&*two));
    registry.SignOut("bob", *two);
    registry.SignOut("bob", *two);
    EXPECT_EQ(registry.SessionsOf("bob"), nullptr);
    EXPECT_EQ(registry.All().size(), 1u);
  });
}

}  // namespace
}  // namespace hubbub::client
