#include "bench/options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<Options> Parse(std::vector<const char*> args) {
  return ParseOptions(args);
}
std::string Error(std::vector<const char*> args) {
  return std::string(Parse(std::move(args)).status().message());
}

TEST(Options, AScenarioSetsWhatNoFlagSets) {
  const auto options = Parse({"--scenario", "hall", "--clients=200"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->clients, 200);
  EXPECT_EQ(options->rooms, 1);
  EXPECT_EQ(options->senders, 10);
  EXPECT_EQ(options->window, 32);
  EXPECT_EQ(options->rate, 0);
}

TEST(Options, GrowKeepsTheRateOfARoom) {
  for (const char* clients : {"300", "3000", "9000"}) {
    const auto options = Parse({"--scenario", "grow", "--clients", clients});
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->clients, options->rooms * 30);
    EXPECT_EQ(options->rate, options->rooms * 4);
  }
}

TEST(Options, ARateTakesTheWindowsPlace) {
  const auto options = Parse({"--scenario", "rooms", "--rate", "0.5"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->window, 0);
  EXPECT_EQ(options->rate, 0.5);
}

TEST(Options, ServersAreProcesses) {
  const auto options = Parse({"--servers", "a=1,b=2"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->servers.size(), 2u);
}

TEST(Options, WhatIsWrongIsSaidInOneSentence) {
  EXPECT_THAT(Error({"--colour", "red"}), HasSubstr("there is no flag '--colour'"));
  EXPECT_THAT(Error({"rooms"}), HasSubstr("there is no flag 'rooms'"));
  EXPECT_THAT(Error({"--scenario", "party"}), HasSubstr("there is no scenario 'party'"));
  EXPECT_THAT(Error({"--clients"}), HasSubstr("--clients needs a value"));
  EXPECT_THAT(Error({"--quiet=yes"}), HasSubstr("--quiet takes no value"));
  for (const char* wrong : {"0", "-1", "1.5", "many", "", "nan", "1e99"}) {
    EXPECT_THAT(Error({"--clients", wrong}), HasSubstr("--clients must be a whole number from 1 to 50000"))
        << wrong;
  }
  EXPECT_THAT(Error({"--window", "1", "--rate", "1"}), HasSubstr("exclude each other"));
  EXPECT_THAT(Error({"--clients", "10"}), HasSubstr("too few for 10 rooms"));
  EXPECT_THAT(Error({"--servers", "x"}), AllOf(HasSubstr("--servers"), HasSubstr("is no process")));
}

TEST(Options, OnlyLoopbackIsLoaded) {
  EXPECT_EQ(ToString(Parse({"--gate", "localhost:1"})->entries.front()), "127.0.0.1:1");
  EXPECT_EQ(ToString(Parse({"--gate", "127.9.9.9:65535"})->entries.front()), "127.9.9.9:65535");
  const auto servers = Parse({"--protocol", "socketio", "--gate", "127.0.0.1:1,127.0.0.2:2"});
  ASSERT_EQ(servers->entries.size(), 2u);
  EXPECT_EQ(ToString(servers->entries.back()), "127.0.0.2:2");
  EXPECT_EQ(servers->protocol, Protocol::kSocketIo);
  EXPECT_THAT(Error({"--protocol", "smoke"}), HasSubstr("pomelo, socketio or centrifugo, not 'smoke'"));
  for (const char* wrong : {"192.168.1.1:3014", "0.0.0.0:3014", "8.8.8.8:80"}) {
    EXPECT_THAT(Error({"--gate", wrong}), HasSubstr("only loopback")) << wrong;
  }
  for (const char* wrong : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536"}) {
    EXPECT_THAT(Error({"--gate", wrong}), HasSubstr("needs a port")) << wrong;
  }
  EXPECT_THAT(Error({"--gate", "chat.invalid:1"}), HasSubstr("is no IPv4 address"));
}

TEST(Options, HelpNamesEveryScenario) {
  const auto help = Parse({"--help"});
  EXPECT_EQ(help.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* name : {"rooms", "hall", "calm", "idle", "grow", "--servers", "--json"}) {
    EXPECT_THAT(std::string(help.status().message()), HasSubstr(name));
  }
}

}  // namespace
}  // namespace hubbub::bench
