#include "services/directory/dns_directory.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/dns/testing/test_dns_server.h"
#include "services/rpc/server.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"

namespace hubbub::directory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A chat server that only says who it is, and who else has asked.
struct Peer {
  Peer(const std::string& host, uint16_t port, const std::string& id)
      : identity(MakeIdentity({.kind = ServerKind::kChat, .id = id})), service(identity, &asked) {
    auto started =
        rpc::Server::Start({.host = host, .port = port, .reflection = false, .services = {&service}});
    EXPECT_TRUE(started.ok()) << started.status();
    if (started.ok()) server = *std::move(started);
  }
  // Knows those that have asked.
  struct Asked final : Directory {
    std::shared_ptr<const ServerList> servers() const override { return nullptr; }
    void Poll() override {}
    void OnChange(Listener) override {}
    void Heard(const Address& address) override {
      MutexLock lock(mu);
      addresses.insert(address);
    }
    std::vector<Address> Newcomers() const override {
      MutexLock lock(mu);
      return {addresses.begin(), addresses.end()};
    }
    mutable Mutex mu;
    std::set<Address> addresses ABSL_GUARDED_BY(mu);
  };

  const Identity identity;
  Asked asked;
  IdentityService service;
  std::unique_ptr<rpc::Server> server;
};

class DnsDirectoryTest : public ::testing::Test {
 protected:
  // All addresses of loopback are here, so that servers can share a port as in a cluster.
  void Serve(const std::string& host, const std::string& id) {
    peers_[host] = std::make_unique<Peer>(host, port_, id);
    if (port_ == 0) port_ = peers_[host]->server->port();
  }
  void Open() {
    DnsDirectoryOptions options{
        .self = {.kind = ServerKind::kChat, .id = "self", .host = "127.0.0.9", .port = port_},
        .services = {{ServerKind::kChat, {"chat.test", port_}}},
        .dns_server = dns_.address()};
    options.identity = MakeIdentity(options.self);
    options.period = std::chrono::milliseconds(20);
    options.start_timeout = std::chrono::seconds(20);
    auto opened = DnsDirectory::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    directory_ = *std::move(opened);
    told_ = Ids(*directory_->servers());
    directory_->OnChange([this](const auto& servers) { told_ = Ids(*servers); });
  }
  static std::string Ids(const ServerList& servers) {
    std::string ids;
    for (const ServerInfo& server : servers.chats) ids += (ids.empty() ? "" : " ") + server.id;
    return ids;
  }
  // True once listeners were told of these servers.
  bool Becomes(const std::string& ids) {
    return testing::WaitUntil([&] {
      directory_->Poll();
      return told_ == ids;
    });
  }

  testing::TestLog log_;
  dns::TestDnsServer dns_;
  std::map<std::string, std::unique_ptr<Peer>> peers_;
  uint16_t port_ = 0;
  std::string told_;
  std::unique_ptr<DnsDirectory> directory_;
};

TEST_F(DnsDirectoryTest, KnowsEverybodyWhenItOpens) {
  Serve("127.0.0.2", "a");
  Serve("127.0.0.3", "b");
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  Open();
  EXPECT_EQ(told_, "a b self");
  EXPECT_EQ(directory_->servers()->chats[1].grpc_address(), "127.0.0.3:" + std::to_string(port_));
}

TEST_F(DnsDirectoryTest, StartsBeforeTheNameIsThereAndFollowsIt) {
  Serve("127.0.0.2", "a");
  Serve("127.0.0.3", "b");
  Open();
  EXPECT_EQ(told_, "self");
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("chat.test does not resolve")));
  dns_.Set("chat.test", {"127.0.0.2"});
  EXPECT_TRUE(Becomes("a self"));
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  EXPECT_TRUE(Becomes("a b self"));
  dns_.Set("chat.test", {"127.0.0.3"});
  EXPECT_TRUE(Becomes("b self"));
}

TEST_F(DnsDirectoryTest, WaitsForAServerThatDnsShowsTooEarly) {
  Serve("127.0.0.2", "a");
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  Open();
  EXPECT_EQ(told_, "a self");
  Serve("127.0.0.3", "b");
  EXPECT_TRUE(Becomes("a b self"));
}

TEST_F(DnsDirectoryTest, NoticesAnotherServerAtTheSameAddress) {
  Serve("127.0.0.2", "a");
  dns_.Set("chat.test", {"127.0.0.2"});
  Open();
  EXPECT_EQ(told_, "a self");
  peers_.clear();
  Serve("127.0.0.2", "b");
  EXPECT_TRUE(Becomes("b self"));
}

TEST_F(DnsDirectoryTest, ANameThatGoesEmptyLeavesThoseThatAnswer) {
  Serve("127.0.0.2", "a");
  Serve("127.0.0.3", "b");
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  Open();
  EXPECT_EQ(told_, "a b self");
  dns_.Remove("chat.test");
  const auto complained = [this](const std::string& what) {
    directory_->Poll();
    for (const std::string& line : log_.lines()) {
      if (line.find(what) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(testing::WaitUntil([&] { return complained("chat.test does not resolve"); }));
  EXPECT_EQ(told_, "a b self");
  peers_.erase("127.0.0.3");
  EXPECT_TRUE(Becomes("a self"));
  dns_.SetBroken(true);
  Serve("127.0.0.3", "b");
  dns_.SetBroken(false);
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  EXPECT_TRUE(Becomes("a b self"));
}

TEST_F(DnsDirectoryTest, OfTwoThatClaimOneIdTheFirstStays) {
  Serve("127.0.0.2", "a");
  dns_.Set("chat.test", {"127.0.0.2"});
  Open();
  Serve("127.0.0.3", "a");
  dns_.Set("chat.test", {"127.0.0.2", "127.0.0.3"});
  const std::string first = "127.0.0.2:" + std::to_string(port_);
  const std::string second = "127.0.0.3:" + std::to_string(port_);
  EXPECT_TRUE(testing::WaitUntil([&] {
    const auto lines = log_.lines();
    return !lines.empty() && lines.back().find(first + " and " + second + " both say") != std::string::npos;
  }));
  ASSERT_EQ(directory_->servers()->chats.size(), 2u);
  EXPECT_EQ(directory_->servers()->chats[0].grpc_address(), first);
}

TEST_F(DnsDirectoryTest, TellsThoseWhomItAsksWhereItIs) {
  Serve("127.0.0.2", "a");
  dns_.Set("chat.test", {"127.0.0.2"});
  Open();
  EXPECT_THAT(peers_["127.0.0.2"]->asked.Newcomers(), ElementsAre(Address{ServerKind::kChat, "127.0.0.9"}));
}

TEST_F(DnsDirectoryTest, HearsOfNewcomersThatDnsDoesNotShowYet) {
  Serve("127.0.0.2", "a");
  Serve("127.0.0.3", "b");
  Serve("127.0.0.4", "c");
  peers_["127.0.0.2"]->asked.Heard({ServerKind::kChat, "127.0.0.3"});
  dns_.Set("chat.test", {"127.0.0.2"});
  Open();
  EXPECT_TRUE(Becomes("a b self")) << "from those whom it asks";
  directory_->Heard({ServerKind::kChat, "127.0.0.4"});
  EXPECT_TRUE(Becomes("a b c self")) << "from themselves";
  EXPECT_EQ(directory_->Newcomers().size(), 2u);
}

TEST_F(DnsDirectoryTest, EndsWhileDnsAndAServerAreSilent) {
  dns_.SetSilent(true);
  DnsDirectoryOptions options{.self = {.kind = ServerKind::kChat, .id = "self", .host = "me", .port = 1},
                              .services = {{ServerKind::kChat, {"chat.test", 1}}},
                              .dns_server = dns_.address()};
  options.start_timeout = std::chrono::milliseconds(0);
  const auto opened = DnsDirectory::Open(options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(testing::WaitUntil([&] { return dns_.questions() > 0; }));
}

}  // namespace
}  // namespace hubbub::directory
