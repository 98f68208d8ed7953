#include "bench/checker.h"

#include <vector>

#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

// What a checker says of these deliveries to receiver 1 from sender 2, of whose messages `sent` were sent.
Faults Check(const std::vector<uint32_t>& numbers, uint32_t sent) {
  Checker checker(2, 3);
  for (const uint32_t number : numbers) checker.Saw(1, 2, number);
  checker.Finish(1, 2, sent);
  return checker.faults();
}

TEST(Checker, FindsNoFaultInOrder) {
  EXPECT_FALSE(Check({0, 1, 2, 3}, 4).any());
}

TEST(Checker, FindsALostDelivery) {
  EXPECT_EQ(Check({0, 2, 3}, 4).lost, 1u);
  EXPECT_EQ(Check({0, 3}, 4).lost, 2u);
}

TEST(Checker, FindsTheLastDeliveriesLost) {
  EXPECT_EQ(Check({0, 1}, 4).lost, 2u);
  EXPECT_EQ(Check({}, 4).lost, 4u);
}

TEST(Checker, FindsADoubledDelivery) {
  const Faults faults = Check({0, 1, 1, 2, 0}, 3);
  EXPECT_EQ(faults.doubled, 2u);
  EXPECT_EQ(faults.lost, 0u);
  EXPECT_EQ(faults.reordered, 0u);
}

TEST(Checker, FindsAReorderedDelivery) {
  const Faults faults = Check({0, 2, 1, 3}, 4);
  EXPECT_EQ(faults.reordered, 1u);
  EXPECT_EQ(faults.lost, 0u);
  EXPECT_EQ(faults.doubled, 0u);
}

TEST(Checker, TellsThemApartInOneGap) {
  // 1 to 5 are passed over; 3 comes late, twice; the others never.
  const Faults faults = Check({0, 6, 3, 3}, 7);
  EXPECT_EQ(faults.reordered, 1u);
  EXPECT_EQ(faults.doubled, 1u);
  EXPECT_EQ(faults.lost, 4u);
}

TEST(Checker, SaysWhetherADeliveryIsTheFirstOfItsNumber) {
  Checker checker(1, 1);
  EXPECT_TRUE(checker.Saw(0, 0, 1));
  EXPECT_TRUE(checker.Saw(0, 0, 0));
  EXPECT_FALSE(checker.Saw(0, 0, 0));
}

TEST(Checker, KeepsReceiversAndSendersApart) {
  Checker checker(2, 2);
  for (size_t receiver = 0; receiver < 2; ++receiver) {
    for (size_t sender = 0; sender < 2; ++sender) {
      checker.Saw(receiver, sender, 0);
      checker.Finish(receiver, sender, 1);
    }
  }
  EXPECT_FALSE(checker.faults().any());
}

}  // namespace
}  // namespace hubbub::bench
