#include "services/rpc/server_lines.h"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::rpc {
namespace {

using ::testing::ElementsAre;

struct TestServer {
  std::string id;
  std::string address;
  bool operator==(const TestServer&) const = default;
};

struct TestLine {
  TestServer server;
};

class ServerLinesTest : public ::testing::Test {
 protected:
  using Lines = ServerLines<TestLine, TestServer>;

  // What was done since the last call, in order.
  std::vector<std::string> Done() { return std::exchange(done_, {}); }

  // Called in the middle of the one or the other.
  std::function<void()> on_start_ = [] {};
  std::function<void()> on_stop_ = [] {};
  std::vector<std::string> done_;
  Lines lines_{{.make =
                    [this](const TestServer& server) {
                      done_.push_back("make " + server.id + " at " + server.address);
                      return std::make_shared<TestLine>(TestLine{server});
                    },
                .start =
                    [this](TestLine& line) {
                      done_.push_back("start " + line.server.id + " at " + line.server.address);
                      on_start_();
                    },
                .stop =
                    [this](TestLine& line) {
                      done_.push_back("stop " + line.server.id + " at " + line.server.address);
                      on_stop_();
                    }}};
};

TEST_F(ServerLinesTest, ANewServerGetsALine) {
  lines_.Update({{"b", "1"}, {"a", "2"}});
  EXPECT_THAT(Done(), ElementsAre("make b at 1", "make a at 2", "start a at 2", "start b at 1"));
  const auto line = lines_.Find(std::string_view("a"));
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->server.address, "2");
  EXPECT_EQ(lines_.Find("c"), nullptr);
  lines_.Update({{"b", "1"}, {"c", "3"}, {"a", "2"}});
  EXPECT_THAT(Done(), ElementsAre("make c at 3", "start c at 3"));
  EXPECT_EQ(lines_.Find("a"), line);
}

TEST_F(ServerLinesTest, AllAreSortedById) {
  lines_.Update({{"b", "1"}, {"c", "3"}, {"a", "2"}});
  EXPECT_THAT(lines_.All(), ElementsAre(lines_.Find("a"), lines_.Find("b"), lines_.Find("c")));
}

TEST_F(ServerLinesTest, TheSameListAgainChangesNothing) {
  lines_.Update({{"a", "1"}, {"b", "2"}});
  const auto before = lines_.All();
  Done();
  lines_.Update({{"b", "2"}, {"a", "1"}});
  EXPECT_THAT(Done(), ElementsAre());
  EXPECT_EQ(lines_.All(), before);
}

TEST_F(ServerLinesTest, AServerAtAnotherAddressGetsAnotherLineOnceTheOldOneHasStopped) {
  lines_.Update({{"a", "1"}, {"b", "2"}});
  const auto old = lines_.Find("a");
  const auto same = lines_.Find("b");
  Done();
  lines_.Update({{"a", "3"}, {"b", "2"}});
  EXPECT_THAT(Done(), ElementsAre("make a at 3", "stop a at 1", "start a at 3"));
  EXPECT_EQ(lines_.Find("a")->server.address, "3");
  EXPECT_EQ(lines_.Find("b"), same);
  EXPECT_EQ(old->server.address, "1") << "those who use it have it still";
}

TEST_F(ServerLinesTest, TheLineToAServerThatHasGoneStops) {
  lines_.Update({{"a", "1"}, {"b", "2"}});
  const std::weak_ptr<TestLine> gone = lines_.Find("a");
  Done();
  lines_.Update({{"b", "2"}});
  EXPECT_THAT(Done(), ElementsAre("stop a at 1"));
  EXPECT_EQ(lines_.Find("a"), nullptr);
  EXPECT_TRUE(gone.expired());
  lines_.Update({{"a", "1"}, {"b", "2"}});
  EXPECT_THAT(Done(), ElementsAre("make a at 1", "start a at 1"));
}

TEST_F(ServerLinesTest, OfTwoServersWithOneIdTheFirstCounts) {
  lines_.Update({{"a", "1"}, {"a", "2"}});
  EXPECT_THAT(Done(), ElementsAre("make a at 1", "start a at 1"));
}

// A stop waits for callbacks of its line on other threads, which may look for lines.
TEST_F(ServerLinesTest, LinesAreFoundFromCallbacksThatAStopWaitsFor) {
  lines_.Update({{"a", "1"}, {"b", "2"}});
  std::vector<std::string> seen;
  const auto look = [&] {
    std::thread([&] {
      std::string all;
      for (const auto& line : lines_.All()) all += line->server.id + line->server.address;
      seen.push_back(all + (lines_.Find("a") == nullptr ? " without a" : " with a"));
    }).join();
  };
  on_stop_ = look;
  on_start_ = look;
  lines_.Update({{"b", "3"}, {"c", "4"}});
  // Two stops and two starts. The new lines are there from the beginning.
  EXPECT_THAT(seen, ElementsAre("b3c4 without a", "b3c4 without a", "b3c4 without a", "b3c4 without a"));
  seen.clear();
  lines_.Stop();
  EXPECT_THAT(seen, ElementsAre(" without a", " without a"));
  on_stop_ = [] {};
}

TEST_F(ServerLinesTest, AListIsReadWhenTheChangeBeforeIsOver) {
  std::promise<void> stopping;
  std::promise<void> go_on;
  lines_.Update({{"a", "1"}});
  on_stop_ = [&] {
    stopping.set_value();
    go_on.get_future().wait();
    done_.emplace_back("stopped");
  };
  Done();
  std::thread first([&] { lines_.Update({}); });
  stopping.get_future().wait();
  std::promise<void> second_begins;
  std::thread second([&] {
    second_begins.set_value();
    lines_.Update([this] {
      done_.emplace_back("list");
      return std::vector<TestServer>{{"b", "2"}};
    });
  });
  second_begins.get_future().wait();
  go_on.set_value();
  first.join();
  second.join();
  EXPECT_THAT(Done(), ElementsAre("stop a at 1", "stopped", "list", "make b at 2", "start b at 2"));
  on_stop_ = [] {};
}

TEST_F(ServerLinesTest, AfterStopThereAreNoLines) {
  lines_.Update({{"a", "1"}, {"b", "2"}});
  Done();
  lines_.Stop();
  EXPECT_THAT(Done(), ElementsAre("stop a at 1", "stop b at 2"));
  EXPECT_THAT(lines_.All(), ElementsAre());
  lines_.Update({{"a", "1"}});
  lines_.Stop();
  EXPECT_THAT(Done(), ElementsAre());
}

TEST(ServerLinesEndTest, TheEndOfTheMapStopsItsLines) {
  int stopped = 0;
  {
    ServerLines<TestLine, TestServer> lines(
        {.make = [](const TestServer& server) { return std::make_shared<TestLine>(TestLine{server}); },
         .stop = [&stopped](TestLine&) { ++stopped; }});
    lines.Update({{"a", "1"}, {"b", "2"}});
  }
  EXPECT_EQ(stopped, 2);
}

}  // namespace
}  // namespace hubbub::rpc
