#include "services/net/frame_budget.h"

#include <functional>

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using std::chrono::seconds;

constexpr FrameBudget::Clock::time_point kFrameStart{};

// A client whose frames come one by one. Each is false once it is to be closed.
class FrameClient {
 public:
  bool Fragment(FrameBudget::Clock::time_point at, size_t size, bool last = false) {
    budget_.Came(size + HeadOf(size));
    if (size > 0 || last) budget_.Passed(size, last);
    return Judge(at);
  }
  bool Message(FrameBudget::Clock::time_point at, size_t size, int fragments = 1) {
    for (int i = 1; i < fragments; ++i) {
      if (!Fragment(at, size)) return false;
    }
    return Fragment(at, size, /*last=*/true);
  }
  bool Control(FrameBudget::Clock::time_point at, size_t size) {
    budget_.Came(size + HeadOf(size));
    budget_.Control();
    return Judge(at);
  }
  int asked() const { return asked_; }

 private:
  static size_t HeadOf(size_t size) { return 6 + (size < 126 ? 0 : size < 65'536 ? 2 : 8); }
  bool Judge(FrameBudget::Clock::time_point at) {
    return !budget_.Floods([&] {
      ++asked_;
      return at;
    });
  }

  FrameBudget budget_{kFrameStart};
  int asked_ = 0;
};

TEST(FrameBudget, MessagesCostNothing) {
  FrameClient client;
  for (int i = 0; i < 100'000; ++i) EXPECT_TRUE(client.Message(kFrameStart, static_cast<size_t>(i % 300)));
  EXPECT_TRUE(client.Message(kFrameStart, 100'000));
  EXPECT_TRUE(client.Message(kFrameStart, 1'024, /*fragments=*/200));
  EXPECT_TRUE(client.Message(kFrameStart, 48, /*fragments=*/4'000));
  EXPECT_EQ(client.asked(), 0) << "a look at the clock for each message";
}

TEST(FrameBudget, AFewPingsAndShortFragmentsAreFree) {
  FrameClient client;
  for (int second = 0; second < 100; ++second) {
    const auto at = kFrameStart + seconds(second);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.Control(at, 125));
    EXPECT_TRUE(client.Message(at, 1, /*fragments=*/200));
    EXPECT_TRUE(client.Message(at, 0, /*fragments=*/10));
  }
}

TEST(FrameBudget, TellsFloods) {
  const struct {
    const char* what;
    int least, most;  // Frames at once that are no flood yet.
    std::function<bool(FrameClient&)> frame;
  } floods[] = {
      {"pings", 200, 250, [](FrameClient& client) { return client.Control(kFrameStart, 0); }},
      {"long pings", 100, 120, [](FrameClient& client) { return client.Control(kFrameStart, 125); }},
      {"empty fragments", 4'000, 4'200, [](FrameClient& client) { return client.Fragment(kFrameStart, 0); }},
      {"fragments of a byte", 4'000, 4'200,
       [](FrameClient& client) { return client.Fragment(kFrameStart, 1); }},
  };
  for (const auto& flood : floods) {
    FrameClient client;
    int frames = 0;
    while (frames < 10'000 && flood.frame(client)) ++frames;
    EXPECT_GE(frames, flood.least) << flood.what;
    EXPECT_LE(frames, flood.most) << flood.what;
  }
}

TEST(FrameBudget, ABytewiseHeadIsNoExcess) {
  FrameBudget budget(kFrameStart);
  for (int i = 0; i < 10'000; ++i) {
    for (int byte = 0; byte < 6; ++byte) {
      budget.Came(1);
      EXPECT_FALSE(budget.Floods([] { return kFrameStart; }));
    }
    budget.Came(1);
    budget.Passed(1, /*last=*/true);
  }
}

}  // namespace
}  // namespace hubbub::net
