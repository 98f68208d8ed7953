#include "chat/connectors/write_pace.h"

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using Kind = Event::Kind;
using std::chrono::milliseconds;

class WritePaceTest : public ::testing::Test {
 protected:
  bool MayWrite() const { return pace_.MayWrite(now_); }

  WritePace::Clock::time_point now_ = WritePace::Clock::time_point(std::chrono::hours(1));
  WritePace pace_;
};

TEST_F(WritePaceTest, AnEventThatComesAloneIsToldAtOnce) {
  pace_.Pushed(Kind::kJoined);
  EXPECT_TRUE(MayWrite());
  pace_.Wrote(now_, /*rest=*/false);
  now_ += WritePace::kPause;
  pace_.Pushed(Kind::kLeft);
  EXPECT_TRUE(MayWrite());
}

TEST_F(WritePaceTest, AnEventThatComesSoonAfterWaits) {
  pace_.Wrote(now_, /*rest=*/false);
  for (const Kind kind : {Kind::kJoined, Kind::kLeft}) {
    pace_.Pushed(kind);
    EXPECT_FALSE(MayWrite());
  }
  now_ += WritePace::kPause - milliseconds(1);
  EXPECT_FALSE(MayWrite());
  EXPECT_EQ(pace_.next(), now_ + milliseconds(1));
  now_ += milliseconds(1);
  EXPECT_TRUE(MayWrite());
}

TEST_F(WritePaceTest, AllElseWaitsForNothing) {
  for (const Kind kind : {Kind::kMessage, Kind::kReplaced, Kind::kMoved}) {
    pace_.Wrote(now_, /*rest=*/false);
    pace_.Pushed(Kind::kJoined);
    EXPECT_FALSE(MayWrite());
    pace_.Pushed(kind);
    EXPECT_TRUE(MayWrite());
    pace_.Pushed(Kind::kJoined);
    EXPECT_TRUE(MayWrite()) << "what comes behind it makes it no less urgent";
  }
}

// A batch has its bounds.
TEST_F(WritePaceTest, WhatABatchDidNotHoldWaitsForNothing) {
  pace_.Pushed(Kind::kJoined);
  pace_.Wrote(now_, /*rest=*/true);
  EXPECT_TRUE(MayWrite());
  pace_.Wrote(now_, /*rest=*/false);
  EXPECT_FALSE(MayWrite());
}

TEST_F(WritePaceTest, Hurries) {
  pace_.Wrote(now_, /*rest=*/false);
  pace_.Pushed(Kind::kJoined);
  pace_.Hurry();
  EXPECT_TRUE(MayWrite());
}

}  // namespace
}  // namespace hubbub::chat
