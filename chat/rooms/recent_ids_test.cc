#include "chat/rooms/recent_ids.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

TEST(RecentIds, FindsWhatWasSentByThatUser) {
  const RecentIds::Limits limits;
  RecentIds ids(limits);
  ids.Insert("alice", "a1", {.offset = 7, .time_ms = 1000, .recipients = 3, .at_ms = 1000});
  const auto found = ids.Find("alice", "a1", 1000);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->offset, 7u);
  EXPECT_EQ(found->time_ms, 1000);
  EXPECT_EQ(found->recipients, 3u);
  EXPECT_FALSE(ids.Find("bob", "a1", 1000).has_value());
  EXPECT_FALSE(ids.Find("alice", "a2", 1000).has_value());
}

TEST(RecentIds, NameAndIdDoNotRunTogether) {
  const RecentIds::Limits limits;
  RecentIds ids(limits);
  ids.Insert("ab", "c", {.offset = 1});
  EXPECT_FALSE(ids.Find("a", "bc", 0).has_value());
}

TEST(RecentIds, TheFirstOfAnIdStays) {
  const RecentIds::Limits limits;
  RecentIds ids(limits);
  ids.Insert("alice", "a1", {.offset = 1});
  ids.Insert("alice", "a1", {.offset = 2});
  EXPECT_EQ(ids.Find("alice", "a1", 0)->offset, 1u);
  EXPECT_EQ(ids.size(), 1u);
}

TEST(RecentIds, NobodyMakesItForgetWhatOthersHaveSent) {
  const RecentIds::Limits limits{.max_ids = 10, .max_ids_of_user = 3, .max_age_ms = 100};
  RecentIds ids(limits);
  ids.Insert("bob", "b1", {.offset = 1});
  for (uint64_t i = 0; i < 100; ++i) ids.Insert("flood", std::to_string(i), {.offset = 2 + i});
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_TRUE(ids.Find("bob", "b1", 0));
  EXPECT_FALSE(ids.Find("flood", "96", 0));
  EXPECT_EQ(ids.Find("flood", "97", 0)->offset, 99u);
  ids.Insert("bob", "b2", {.offset = 200});
  ids.ShrinkTo(ids.bytes() - 1);
  EXPECT_FALSE(ids.Find("bob", "b1", 0)) << "the oldest of all";
  EXPECT_TRUE(ids.Find("bob", "b2", 0));
  ids.ShrinkTo(0);
  EXPECT_EQ(ids.bytes(), 0u);
}

TEST(RecentIds, ForgetsByAgeAndNumberAndThenTakesNoMemory) {
  const RecentIds::Limits limits{.max_ids = 3, .max_age_ms = 100};
  RecentIds ids(limits);
  for (int i = 1; i <= 5; ++i) ids.Insert("alice", std::to_string(i), {.offset = 1, .at_ms = i});
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_FALSE(ids.Find("alice", "2", 5).has_value());
  EXPECT_TRUE(ids.Find("alice", "3", 103).has_value());
  EXPECT_FALSE(ids.Find("alice", "3", 104).has_value());
  EXPECT_TRUE(ids.Find("alice", "5", 104).has_value());
  ids.Expire(1000);
  EXPECT_EQ(ids.size(), 0u);
  EXPECT_EQ(ids.bytes(), 0u);
}

}  // namespace
}  // namespace hubbub::chat
