#include "bench/traffic.h"

#include <deque>
#include <utility>

#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

// A room server in miniature: whatever is sent is delivered to all of the room when the test says so.
class TrafficTest : public ::testing::Test {
 protected:
  TrafficTest() {
    options_.clients = 6;
    options_.rooms = 2;
    options_.senders = 1;
    options_.window = 2;
    options_.text_bytes = 20;
  }

  Traffic Make() {
    return Traffic(options_, [this](int client, std::string_view text) { sent_.emplace_back(client, text); });
  }
  // Answers the oldest send and delivers it to each of the room, `times` times.
  void Deliver(Traffic& traffic, int64_t now_ns, int times = 1) {
    const auto [from, text] = sent_.front();
    sent_.pop_front();
    traffic.OnAnswer(from, now_ns);
    for (int client = from % 2; client < options_.clients; client += 2) {
      for (int i = 0; i < times; ++i) traffic.OnDelivery(client, "{\"msg\":\"" + text + "\"}", now_ns);
    }
  }

  Options options_;
  std::deque<std::pair<int, std::string>> sent_;
};

TEST_F(TrafficTest, KeepsEachSendersWindowFull) {
  Traffic traffic = Make();
  traffic.Start(0, 0, 100);
  EXPECT_EQ(sent_.size(), 4u);  // Two senders, two sends each.
  Deliver(traffic, 10);
  EXPECT_EQ(sent_.size(), 4u);  // The send that is done has made room for the next one.
  EXPECT_EQ(traffic.deliveries(), 3u);
}

TEST_F(TrafficTest, ASendIsUnderWayUntilItsOwnCopyIsBack) {
  Traffic traffic = Make();
  traffic.Start(0, 0, 100);
  traffic.OnAnswer(0, 1);
  EXPECT_EQ(sent_.size(), 4u);
}

TEST_F(TrafficTest, IsCompleteWhenEverythingHasArrived) {
  Traffic traffic = Make();
  traffic.Start(0, 0, 100);
  traffic.Stop();
  EXPECT_FALSE(traffic.Complete());
  while (!sent_.empty()) Deliver(traffic, 5);
  EXPECT_TRUE(traffic.Complete());
  EXPECT_FALSE(traffic.Finish().any());
  EXPECT_EQ(traffic.latency_ns().count(), 12u);
  EXPECT_EQ(traffic.latency_ns().max(), 5u);
}

TEST_F(TrafficTest, FindsALossDoublesAndStrays) {
  Traffic traffic = Make();
  traffic.Start(0, 0, 100);
  traffic.Stop();
  const std::string text = sent_.front().second;
  traffic.OnDelivery(1, text, 1);  // From room 0, at a client of room 1.
  traffic.OnDelivery(0, "{}", 1);
  Deliver(traffic, 1, 2);
  sent_.pop_front();  // Never delivered to any of the three.
  while (!sent_.empty()) Deliver(traffic, 2);
  const Faults& faults = traffic.Finish();
  EXPECT_EQ(faults.stray, 2u);
  EXPECT_EQ(faults.doubled, 3u);
  EXPECT_EQ(faults.lost, 3u);
  EXPECT_EQ(faults.reordered, 0u);
}

TEST_F(TrafficTest, LatencyCountsFromWhenASendWasDue) {
  options_.window = 0;
  options_.rate = 1e9 / 10;  // One each 10 ns.
  Traffic traffic = Make();
  traffic.Start(0, 0, 40);
  traffic.SendDue(35);  // Held up: all four go out late.
  ASSERT_EQ(sent_.size(), 4u);
  while (!sent_.empty()) Deliver(traffic, 35);
  EXPECT_EQ(traffic.latency_ns().max(), 35u);
  EXPECT_EQ(traffic.latency_ns().Quantile(0.25), 5u);
}

}  // namespace
}  // namespace hubbub::bench
