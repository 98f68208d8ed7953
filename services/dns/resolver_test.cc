#include "services/dns/resolver.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/dns/testing/test_dns_server.h"
#include "services/testing/wait.h"

namespace hubbub::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct Asking {
  TestDnsServer dns;
  std::unique_ptr<Resolver> resolver = *Resolver::Create(dns.address());
  absl::StatusOr<Resolver::Hosts> Ask(const std::string& name) { return resolver->Resolve({name})[0]; }
};

TEST(DnsResolver, AnswersAreSortedAndAsFreshAsTheServers) {
  Asking asking;
  asking.dns.Set("chat.test", {"127.0.0.3", "127.0.0.2", "127.0.0.3"});
  EXPECT_THAT(*asking.Ask("chat.test"), ElementsAre("127.0.0.2", "127.0.0.3"));
  asking.dns.Set("chat.test", {"127.0.0.4"});
  EXPECT_THAT(*asking.Ask("chat.test"), ElementsAre("127.0.0.4"));
  EXPECT_THAT(*asking.Ask("CHAT.test."), ElementsAre("127.0.0.4"));
}

TEST(DnsResolver, AsksForManyNamesAtOnce) {
  Asking asking;
  asking.dns.Set("a.test", {"127.0.0.1"});
  asking.dns.Set("c.test", {"127.0.0.3"});
  const auto answers = asking.resolver->Resolve({"a.test", "b.test", "c.test"});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_THAT(*answers[0], ElementsAre("127.0.0.1"));
  EXPECT_EQ(answers[1].status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(*answers[2], ElementsAre("127.0.0.3"));
}

TEST(DnsResolver, TellsNothingFromNobody) {
  Asking asking;
  EXPECT_EQ(asking.Ask("no.test").status().code(), absl::StatusCode::kNotFound);
  asking.dns.Set("empty.test", {});
  EXPECT_EQ(asking.Ask("empty.test").status().code(), absl::StatusCode::kNotFound);
  asking.dns.SetBroken(true);
  EXPECT_EQ(asking.Ask("empty.test").status().code(), absl::StatusCode::kUnavailable);
  asking.dns.SetBroken(false);
  asking.dns.SetSilent(true);
  EXPECT_EQ(asking.Ask("empty.test").status().code(), absl::StatusCode::kUnavailable);
}

TEST(DnsResolver, AsksOnceForANameOfIPv4) {
  Asking asking;
  asking.dns.Set("a.test", {"127.0.0.1", "::1"});
  EXPECT_THAT(*asking.Ask("a.test."), ElementsAre("127.0.0.1"));
  EXPECT_EQ(asking.dns.questions(), 1);
}

TEST(DnsResolver, TakesIPv6WhereThereIsNoOther) {
  Asking asking;
  asking.dns.Set("a.test", {"fd00::2", "fd00::1"});
  EXPECT_THAT(*asking.Ask("a.test."), ElementsAre("fd00::1", "fd00::2"));
}

TEST(DnsResolver, GivesBothFamiliesToAClientThatTriesThem) {
  TestDnsServer dns;
  dns.Set("a.test", {"127.0.0.2", "::1"});
  dns.Set("b.test", {"fd00::1"});
  const auto resolver = *Resolver::Create(dns.address(), Resolver::Families::kBoth);
  const auto answers = resolver->Resolve({"a.test.", "b.test.", "no.test."});
  EXPECT_THAT(*answers[0], UnorderedElementsAre("127.0.0.2", "::1"));
  EXPECT_THAT(*answers[1], ElementsAre("fd00::1"));
  EXPECT_EQ(answers[2].status().code(), absl::StatusCode::kNotFound);
}

TEST(DnsResolver, AnAddressNeedsNoQuestion) {
  Asking asking;
  EXPECT_THAT(*asking.Ask("127.0.0.9"), ElementsAre("127.0.0.9"));
  EXPECT_THAT(*asking.Ask("::1"), ElementsAre("::1"));
  EXPECT_THAT(*asking.Ask("fe80::1%eth0"), ElementsAre("fe80::1%eth0"));
  EXPECT_EQ(asking.dns.questions(), 0);
  for (const char* name : {"fe80::1%", "127.0.0.1%eth0", "a%eth0"})
    EXPECT_FALSE(asking.Ask(name).ok()) << name;
}

TEST(DnsResolver, CancelEndsAWait) {
  Asking asking;
  asking.dns.SetSilent(true);
  std::thread asker([&] { EXPECT_EQ(asking.Ask("a.test").status().code(), absl::StatusCode::kCancelled); });
  EXPECT_TRUE(testing::WaitUntil([&] { return asking.dns.questions() > 0; }));
  asking.resolver->Cancel();
  asker.join();
  EXPECT_EQ(asking.Ask("a.test").status().code(), absl::StatusCode::kCancelled);
}

TEST(DnsResolver, RefusesWhatIsNoServer) {
  for (const char* server : {"nowhere", "1.2.3", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4 x"}) {
    EXPECT_EQ(Resolver::Create(server).status().code(), absl::StatusCode::kInvalidArgument) << server;
  }
  EXPECT_TRUE(Resolver::Create("").ok());
  EXPECT_TRUE(Resolver::Create("127.0.0.1").ok());
}

}  // namespace
}  // namespace hubbub::dns
