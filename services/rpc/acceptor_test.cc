#include "services/rpc/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// What an acceptor has handed over. Thread-safe.
class Taken {
 public:
  ~Taken() { CloseAll(); }
  void Add(int fd) {
    MutexLock lock(mu_);
    fds_.push_back(fd);
    ++count_;
  }
  size_t count() {
    MutexLock lock(mu_);
    return count_;
  }
  void CloseAll() {
    MutexLock lock(mu_);
    for (const int fd : fds_) close(fd);
    fds_.clear();
  }

 private:
  Mutex mu_;
  size_t count_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<int> fds_ ABSL_GUARDED_BY(mu_);
};

class Client {
 public:
  explicit Client(int family = AF_INET) : family_(family), fd_(socket(family, SOCK_STREAM, 0)) {}
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool Connect(uint16_t port) const {
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    return family_ == AF_INET ? connect(fd_, reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0
                              : connect(fd_, reinterpret_cast<sockaddr*>(&v6), sizeof v6) == 0;
  }
  // Waits for the end of the connection; false if something else comes, or nothing for 20 s.
  bool Ends() const {
    const timeval limit = {.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte = 0;
    const ssize_t got = recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  const int family_;
  const int fd_;
};

class AcceptorTest : public ::testing::Test {
 protected:
  void Listen(const Acceptor::Options& options) {
    auto acceptor = Acceptor::Listen(options);
    ASSERT_TRUE(acceptor.ok()) << acceptor.status();
    acceptor_ = *std::move(acceptor);
  }
  void Start() {
    acceptor_->Start([this](int, int fd) { taken_.Add(fd); });
  }
  bool HasTaken(size_t count) {
    return testing::WaitUntil([&] { return taken_.count() >= count; }) && taken_.count() == count;
  }

  Taken taken_;
  std::unique_ptr<Acceptor> acceptor_;
};

// While it lives, this process gets no further descriptor.
class NoDescriptors {
 public:
  NoDescriptors() {
    // UBSan looks at the types of what is logged, once each, and needs descriptors for it.
    spdlog::warn("no descriptor from here: {} {} {}", uint16_t{1}, std::string("x"), 2);
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 4;  // All of these are open, and stay so.
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_ = {};
};

bool HasIpv6() {
  auto acceptor = Acceptor::Listen({.host = "::1"});
  return acceptor.ok();
}

TEST_F(AcceptorTest, AConnectionMadeBeforeTheStartIsAcceptedThen) {
  Listen({.host = "127.0.0.1"});
  const Client client;
  ASSERT_TRUE(client.Connect(acceptor_->port()));
  EXPECT_EQ(taken_.count(), 0u);
  Start();
  EXPECT_TRUE(HasTaken(1));
}

TEST_F(AcceptorTest, EachFormOfAHostIsListenedOn) {
  const bool has_ipv6 = HasIpv6();
  const struct {
    const char* host;
    bool v4;
    bool v6;
  } cases[] = {
      {"127.0.0.1", true, false}, {"::1", false, true},       {"0.0.0.0", true, true},
      {"::", true, true},         {"localhost", true, false},
  };
  for (const auto& c : cases) {
    if (!c.v4 && !has_ipv6) continue;
    SCOPED_TRACE(c.host);
    Listen({.host = c.host});
    const Client v4;
    const Client v6(AF_INET6);
    EXPECT_EQ(v4.Connect(acceptor_->port()), c.v4);
    if (c.v6) {
      EXPECT_EQ(v6.Connect(acceptor_->port()), has_ipv6);
    }
  }
}

TEST_F(AcceptorTest, APortOfAnotherIsRefusedWhicheverAddressItHas) {
  Listen({.host = "127.0.0.1"});
  for (const char* host : {"127.0.0.1", "0.0.0.0", "localhost"}) {
    const auto second = Acceptor::Listen({.host = host, .port = acceptor_->port()});
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("another program has this port")) << host;
  }
}

TEST_F(AcceptorTest, APortIsFreeAgainAfterStop) {
  Listen({.host = "127.0.0.1"});
  Start();
  const Client client;
  ASSERT_TRUE(client.Connect(acceptor_->port()));
  ASSERT_TRUE(HasTaken(1));
  const uint16_t port = acceptor_->port();
  acceptor_->Stop();
  EXPECT_FALSE(Client().Connect(port));
  EXPECT_TRUE(Acceptor::Listen({.host = "127.0.0.1", .port = port}).ok());
}

TEST_F(AcceptorTest, BeyondItsBoundItClosesAndAfterwardsTakesAgain) {
  const testing::TestLog log;
  Listen({.host = "127.0.0.1", .max_connections = 2});
  Start();
  const Client clients[4];
  for (const Client& client : clients) ASSERT_TRUE(client.Connect(acceptor_->port()));
  EXPECT_TRUE(clients[2].Ends());
  EXPECT_TRUE(clients[3].Ends());
  EXPECT_TRUE(HasTaken(2));
  EXPECT_THAT(log.lines(), Contains(HasSubstr("has 2 connections; further ones are closed at once")));
  taken_.CloseAll();
  const Client more[3];
  for (const Client& client : more) ASSERT_TRUE(client.Connect(acceptor_->port()));
  EXPECT_TRUE(more[2].Ends());
  EXPECT_TRUE(HasTaken(4));
}

TEST_F(AcceptorTest, OneAddressDoesNotTakeAllThereIs) {
  const testing::TestLog log;
  Listen({.host = "127.0.0.1", .max_connections = 4, .max_per_address = 2});
  Start();
  const Client clients[3];
  for (const Client& client : clients) ASSERT_TRUE(client.Connect(acceptor_->port()));
  EXPECT_TRUE(clients[2].Ends());
  EXPECT_TRUE(HasTaken(2));
  EXPECT_TRUE(testing::WaitUntil([&] { return !log.lines().empty(); }));
  EXPECT_THAT(log.lines(),
              Contains(HasSubstr("has 2 connections from one address; further ones are closed")));
  taken_.CloseAll();
  const Client again;
  ASSERT_TRUE(again.Connect(acceptor_->port()));
  EXPECT_TRUE(HasTaken(3));
}

TEST_F(AcceptorTest, WithoutADescriptorItWaitsUntilThereIsOne) {
  const testing::TestLog log;
  Listen({.host = "127.0.0.1"});
  Start();
  const Client first;
  ASSERT_TRUE(first.Connect(acceptor_->port()) && HasTaken(1));
  const Client client;
  {
    const NoDescriptors none;
    EXPECT_TRUE(client.Connect(acceptor_->port()));
    EXPECT_TRUE(testing::WaitUntil([&] { return log.lines().size() > 1; }));
    EXPECT_EQ(taken_.count(), 1u);
  }
  EXPECT_TRUE(HasTaken(2));
  EXPECT_THAT(log.lines(), Contains(HasSubstr("Too many open files")));
}

TEST_F(AcceptorTest, EndsWhileItWaitsForADescriptor) {
  const testing::TestLog log;
  // Once before, for UBSan's sake.
  Listen({.host = "127.0.0.1"});
  Start();
  acceptor_->Stop();
  Listen({.host = "127.0.0.1"});
  Start();
  const Client first;
  ASSERT_TRUE(first.Connect(acceptor_->port()) && HasTaken(1));
  const Client client;
  const NoDescriptors none;
  EXPECT_TRUE(client.Connect(acceptor_->port()));
  EXPECT_TRUE(testing::WaitUntil([&] { return log.lines().size() > 1; }));
  acceptor_->Stop();
}

}  // namespace
}  // namespace hubbub::rpc
