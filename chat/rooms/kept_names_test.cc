#include "chat/rooms/kept_names.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

class KeptNamesTest : public ::testing::Test {
 protected:
  static constexpr int64_t kNow = 1'000'000;
  static constexpr uint64_t kHere = 11;
  static constexpr uint64_t kThere = 22;

  int64_t WaitFor(const std::string& token, uint64_t address, int64_t now_ms = kNow) const {
    return names_.WaitFor("ann", {token, "its own"}, address, now_ms);
  }

  KeptNames names_;
};

TEST_F(KeptNamesTest, AreHadAtOnceByTheTokenAndByTheAddressAndByOthersLater) {
  names_.Insert("ann", {.token = TokenHash("secret"), .address = kHere, .until_ms = kNow + 3000}, kNow);
  EXPECT_EQ(WaitFor("secret", kThere), 0);
  EXPECT_EQ(WaitFor("", kHere), 0);
  EXPECT_EQ(WaitFor("", kThere), 3000);
  EXPECT_EQ(WaitFor("", 0), 3000);
  EXPECT_EQ(WaitFor("secre", kThere, kNow + 2999), 1);
  EXPECT_EQ(WaitFor("", kThere, kNow + 3000), 0);
  EXPECT_EQ(names_.WaitFor("bob", {"", ""}, kThere, kNow), 0) << "that one was never kept";
}

TEST_F(KeptNamesTest, WithoutAnAddressOrATokenNobodyHasThat) {
  names_.Insert("ann", {.token = 0, .address = 0, .until_ms = kNow + 1}, kNow);
  EXPECT_EQ(WaitFor("", 0), 1);
  EXPECT_EQ(WaitFor("x", kHere), 1);
}

TEST_F(KeptNamesTest, AreForgottenInTime) {
  names_.Insert("ann", {.token = 1, .address = 0, .until_ms = kNow + 5}, kNow);
  names_.Insert("bob", {.token = 1, .address = 0, .until_ms = kNow + 9}, kNow);
  names_.Insert("cat", {.token = 1, .address = 0, .until_ms = kNow}, kNow);
  EXPECT_EQ(names_.Entries().size(), 2u) << "one was over when it came";
  names_.Expire(kNow + 5);
  ASSERT_EQ(names_.Entries().size(), 1u);
  EXPECT_EQ(names_.Entries()[0].user, "bob");
  names_.Erase("bob");
  EXPECT_TRUE(names_.empty());
}

TEST_F(KeptNamesTest, AreBounded) {
  for (size_t i = 0; i <= KeptNames::kMost; ++i)
    names_.Insert(std::to_string(i), {.token = 1, .address = 0, .until_ms = kNow + 5}, kNow);
  EXPECT_EQ(names_.Entries().size(), KeptNames::kMost);
  names_.Insert("ann", {.token = 1, .address = 0, .until_ms = kNow + 9}, kNow + 5);
  EXPECT_EQ(names_.Entries().size(), 1u) << "the others are over by then";
}

}  // namespace
}  // namespace hubbub::chat
