#include "chat/cluster/beats.h"

#include <vector>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

constexpr uint64_t kSelf = 1;
constexpr uint64_t kOther = 2;

class BeatsTest : public ::testing::Test {
 protected:
  BeatsTest() {
    view_.servers = {{.incarnation = kSelf, .id = "self"}, {.incarnation = kOther, .id = "other"}};
  }
  // Reads once a second, from now on for so many seconds; true if the other one is gone at the end.
  bool GoneAfter(int seconds, bool beats = false) {
    bool gone = false;
    for (int i = 0; i < seconds; ++i) gone = ReadAfter(1'000, beats);
    return gone;
  }
  bool ReadAfter(int64_t ms, bool beats = false) {
    now_ms_ += ms;
    if (beats) ++view_.servers[1].beat;
    const std::vector<StoredServer> gone = beats_.Observe(view_, kSelf, now_ms_);
    EXPECT_LE(gone.size(), 1u);
    return !gone.empty() && gone[0].incarnation == kOther;
  }

  StoreView view_;
  Beats beats_;
  int64_t now_ms_ = 1'000'000;
};

TEST_F(BeatsTest, WhoseBeatStandsStillForFiveSecondsIsGone) {
  EXPECT_FALSE(ReadAfter(0));
  EXPECT_FALSE(GoneAfter(4));
  EXPECT_TRUE(GoneAfter(1));
  EXPECT_TRUE(GoneAfter(1)) << "until somebody has marked it";
}

TEST_F(BeatsTest, WhoBeatsLives) {
  EXPECT_FALSE(GoneAfter(60, /*beats=*/true));
}

TEST_F(BeatsTest, OneBeatBeginsTheTimeAnew) {
  EXPECT_FALSE(GoneAfter(5));
  EXPECT_FALSE(ReadAfter(900, /*beats=*/true));
  EXPECT_FALSE(GoneAfter(4));
  EXPECT_TRUE(GoneAfter(1));
}

TEST_F(BeatsTest, ATimeInWhichTheStoreWasNotReadProvesNothing) {
  EXPECT_FALSE(GoneAfter(4));
  EXPECT_FALSE(ReadAfter(30'000)) << "the store was away, or this process was stopped";
  EXPECT_FALSE(GoneAfter(4));
  EXPECT_TRUE(GoneAfter(1));
}

TEST_F(BeatsTest, ReadsThatAreSlowerThanTheBeatStillCount) {
  bool gone = false;
  for (int i = 0; i < 5; ++i) gone = ReadAfter(1'400);
  EXPECT_TRUE(gone);
}

TEST_F(BeatsTest, WhoIsMarkedAlreadyIsNotNamedAndNeitherIsThisServer) {
  view_.servers[1].gone = true;
  EXPECT_FALSE(GoneAfter(20));
  view_.servers.pop_back();
  EXPECT_FALSE(GoneAfter(20));
}

TEST_F(BeatsTest, ANewRunHasATimeOfItsOwn) {
  EXPECT_FALSE(GoneAfter(5));
  view_.servers.push_back({.incarnation = 3, .id = "other"});
  EXPECT_FALSE(ReadAfter(500));
  EXPECT_TRUE(ReadAfter(600)) << "the old run";
}

}  // namespace
}  // namespace hubbub::chat
