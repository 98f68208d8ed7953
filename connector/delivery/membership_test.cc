#include "connector/delivery/membership.h"

#include <functional>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = Membership::State;

class MembershipTest : public ::testing::Test {
 protected:
  void Run(const std::function<void(Membership&)>& test) {
    client::PomeloOptions options;
    options.contract = &contract_;
    options.pushes = &pushes_;
    client::OnLoop(loops_.at(0), [&] {
      client::FakeSession session(loops_.at(0), options, /*id=*/5);
      const auto membership =
          std::make_shared<Membership>(Membership::Who{.room = "lobby", .user = "ann"}, *session,
                                       [this](Membership& ended, Membership::End end) {
                                         ends_.push_back(end);
                                         ended.Leave();
                                       });
      test(*membership);
    });
  }

  const client::ClientContract contract_{false, false, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  net::Loops loops_{1};
  std::vector<Membership::End> ends_;
};

TEST_F(MembershipTest, IsAddedMovesOnAndIsJoinedAgain) {
  Run([](Membership& membership) {
    EXPECT_EQ(membership.state(), State::kAdding);
    membership.Asked({.server = "chat-1", .lease = 10, .incarnation = 1});
    EXPECT_THAT(membership.Joined({.epoch = 7, .offset = 3}), IsEmpty());
    EXPECT_TRUE(membership.joined());
    membership.SawOffset(4);
    membership.BeginRestore();
    EXPECT_EQ(membership.state(), State::kRestoring);
    EXPECT_EQ(membership.seen().offset, 4u) << "what the client has seen stays";
    membership.Asked({.server = "chat-2", .lease = 20, .incarnation = 1});
    membership.BeginEpoch(8);
    EXPECT_EQ(membership.seen().offset, 0u);
    (void)membership.Joined({8, 2});
    EXPECT_EQ(membership.at().server, "chat-2");
    EXPECT_EQ(membership.seen().epoch, 8u);
    EXPECT_EQ(membership.seen().offset, 2u);
  });
}

TEST_F(MembershipTest, GivesBackWhatWaitedInOrderOnce) {
  Run([](Membership& membership) {
    const auto batch = std::make_shared<const Deliveries>();
    for (const size_t index : {0, 1, 2}) EXPECT_TRUE(membership.Hold({batch, index}));
    const std::vector<Membership::Held> held = membership.Joined({7, 0});
    ASSERT_EQ(held.size(), 3u);
    for (size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i].index, i);
    membership.BeginRestore();
    EXPECT_THAT(membership.Joined({7, 0}), IsEmpty());
  });
}

TEST_F(MembershipTest, OneThatWasReplacedHasNoPlace) {
  Run([](Membership& membership) {
    (void)membership.Joined({7, 0});
    membership.BeginRestore();
    membership.Replaced();
    EXPECT_FALSE(membership.joined());
    EXPECT_NE(membership.state(), State::kRestoring);
  });
}

TEST_F(MembershipTest, OutlivesItsSession) {
  Run([](Membership& membership) {
    EXPECT_EQ(membership.session_id(), 5u);
    membership.EndSession(/*keep_name=*/true, /*wait_ms=*/300);
    EXPECT_EQ(membership.session(), nullptr);
    EXPECT_EQ(membership.session_id(), 5u);
    EXPECT_TRUE(membership.keep_name());
    EXPECT_EQ(membership.wait_ms(), 300u);
  });
}

TEST_F(MembershipTest, OneThatHasLeftTellsNobodyAndKeepsNothing) {
  Run([this](Membership& membership) {
    membership.Hold({std::make_shared<const Deliveries>(), 0});
    membership.TellEnd(Membership::End::kLeft);
    EXPECT_TRUE(membership.left());
    EXPECT_EQ(membership.held(), 0u);
    EXPECT_EQ(membership.session(), nullptr);
    membership.TellEnd(Membership::End::kReplaced);
    EXPECT_THAT(ends_, ElementsAre(Membership::End::kLeft)) << "once";
  });
}

}  // namespace
}  // namespace hubbub::connector
