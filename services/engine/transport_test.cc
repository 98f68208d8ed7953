#include "services/engine/transport.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/engine/testing/fake_socket.h"

namespace hubbub::engine {
namespace {

using socketio::EngineType;
using socketio::EngineVersion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TransportTest : public ::testing::Test {
 protected:
  // On the loop, with a transport whose client polls, and a WebSocket for it.
  void Run(const std::function<void(Transport&, FakeSocket&)>& test) {
    OnLoop(loops_.at(0), [&] {
      const auto lane = std::make_shared<Lane>(loops_.at(0), std::chrono::milliseconds(1'000),
                                               net::BoundWaiting(1, size_t{1} << 30).front());
      FakeSocket socket;
      Transport transport(*lane, EngineVersion::k4);
      test(transport, socket);
      transport.End(net::CloseReason::kClientLeft, "");
    });
  }
  // A poll whose answer comes into `answers_`.
  void Poll(Transport& transport) {
    transport.polls().BeginPoll(Answer(net::HttpRequest{}, net::HttpReply([this](net::HttpResponse response) {
                                         answers_.push_back(std::move(response.body));
                                       })));
  }

  net::Loops loops_{1};
  std::vector<std::string> answers_;
};

TEST_F(TransportTest, WhatWaitsForPollsGoesFirstWhenAWebSocketTakesOver) {
  Run([&](Transport& transport, FakeSocket& socket) {
    transport.Send(FrameOf("4a"));
    transport.Send(FrameOf("4b"));
    EXPECT_TRUE(transport.BeginUpgrade());
    transport.Send(FrameOf("4c"));
    EXPECT_THAT(socket.log, IsEmpty());
    transport.Upgrade(socket);
    transport.Send(FrameOf("4d"));
    EXPECT_THAT(socket.log, ElementsAre("4a", "4b", "4c", "4d"));
    EXPECT_TRUE(transport.polls().empty());
    EXPECT_TRUE(transport.had_socket());
  });
}

TEST_F(TransportTest, APollThatWaitsEndsForAnUpgrade) {
  Run([&](Transport& transport, FakeSocket& socket) {
    Poll(transport);
    EXPECT_TRUE(transport.BeginUpgrade());
    EXPECT_THAT(answers_, ElementsAre("6"));
    Poll(transport);
    transport.Upgrade(socket);
    EXPECT_THAT(answers_, ElementsAre("6", "6"));
    EXPECT_FALSE(transport.polls().polled());
  });
}

TEST_F(TransportTest, OneWebSocketTriesAtATime) {
  Run([&](Transport& transport, FakeSocket& socket) {
    EXPECT_TRUE(transport.BeginUpgrade());
    EXPECT_FALSE(transport.BeginUpgrade());
    transport.GiveUpgradeUp();
    EXPECT_TRUE(transport.BeginUpgrade()) << "the one before has gone";
    transport.Upgrade(socket);
    EXPECT_FALSE(transport.BeginUpgrade()) << "it has one";
  });
}

TEST_F(TransportTest, HasTheBoundsOfAConnectionWithoutASocket) {
  const struct {
    size_t bytes;
    bool stalled, behind, overfull;
  } cases[] = {
      {100'000, false, false, false},
      {300'000, true, false, false},
      {3'200'000, true, true, false},
      {4'300'000, true, true, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.bytes);
    Run([&](Transport& transport, FakeSocket& socket) {
      transport.Send(FrameOf(std::string(c.bytes, 'x')));
      EXPECT_EQ(transport.Stalled(), c.stalled);
      EXPECT_EQ(transport.Behind(), c.behind);
      EXPECT_EQ(transport.overfull(), c.overfull);
      transport.Upgrade(socket);
      EXPECT_FALSE(transport.Stalled()) << "from now on the WebSocket's";
      socket.stalled = true;
      EXPECT_TRUE(transport.Stalled());
      EXPECT_TRUE(transport.Behind());
      transport.OnSocketClosed();
    });
  }
}

TEST_F(TransportTest, OnlyAWebSocketIsReadFrom) {
  Run([&](Transport& transport, FakeSocket& socket) {
    transport.PauseReading();
    transport.ResumeReading();
    transport.AllowMessages(5);
    EXPECT_FALSE(transport.HasUnread());
    EXPECT_FALSE(transport.ShowsLife());
    transport.Open(socket);
    transport.PauseReading();
    transport.ResumeReading();
    transport.AllowMessages(7);
    EXPECT_THAT(socket.log, ElementsAre("(pause)", "(resume)", "(allow 7)"));
    EXPECT_TRUE(transport.HasUnread());
    EXPECT_TRUE(transport.ShowsLife());
  });
}

TEST_F(TransportTest, RemembersThatTheClientHasSaidGoodbye) {
  Run([&](Transport& transport, FakeSocket& socket) {
    transport.Open(socket);
    EXPECT_FALSE(transport.SaidGoodbye());
    socket.said_goodbye = true;
    transport.OnSocketClosed();
    EXPECT_TRUE(transport.SaidGoodbye());
  });
  Run([&](Transport& transport, FakeSocket&) {
    Poll(transport);
    transport.OnGoodbye();
    EXPECT_TRUE(transport.SaidGoodbye());
    EXPECT_THAT(answers_, ElementsAre("6"));
  });
}

TEST_F(TransportTest, ItsEndIsThatOfAllThatIsUnderWay) {
  Run([&](Transport& transport, FakeSocket&) {
    transport.Send(FrameOf("4a"));
    Poll(transport);
    transport.End(net::CloseReason::kSlow, "why");
    EXPECT_THAT(answers_, ElementsAre("1"));
    EXPECT_EQ(transport.polls().bytes(), 0u);
  });
  Run([&](Transport& transport, FakeSocket& socket) {
    transport.Open(socket);
    transport.End(net::CloseReason::kKicked, "because");
    transport.End(net::CloseReason::kKicked, "again");
    EXPECT_THAT(socket.log, ElementsAre("(close because)"));
    EXPECT_EQ(transport.socket(), nullptr);
  });
}

}  // namespace
}  // namespace hubbub::engine
