#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "chat/store/postgres_store.h"
#include "chat/store/testing/postgres_server.h"
#include "chat/store/testing/postgres_test_store.h"
#include "chat/store/testing/tcp_proxy.h"
#include "gtest/gtest.h"

namespace hubbub::chat {

// For tests that do harm: a store in a schema of its own, a proxy before its server, the run 11 that owns
// slot 1 by generation 1, and run 22.
class PostgresFixture : public testing::Test {
 protected:
  static constexpr uint64_t kA = 11, kB = 22;

  void SetUp() override { Use(SharedPostgres()); }
  void Use(const PostgresServer* server);

  // A server of the test's own, which it may kill.
  void UseOwn() {
    own_ = PostgresServer::Start({.fsync = true, .settings = {}});
    Use(own_.get());
  }
  PostgresServer& own() { return *own_; }

  const PostgresServer& server() const { return place_->server(); }
  PostgresTestStore& place() { return *place_; }
  TcpProxy& proxy() { return *proxy_; }
  // A connection of the test's own, past the proxy.
  Store& direct() { return *direct_; }
  // One through the proxy, which the server lists as `proxied`. `more` goes to the URL's end.
  std::unique_ptr<Store> Proxied(const PostgresTimes& times = {}, const std::string& more = "");

  // The event of this offset in the room "lobby" of slot 1.
  static AppendBatch Batch(int64_t offset, int64_t generation = 1);
  // How many rows the room "lobby" has, and how many of this offset.
  int Rows() const;
  int Rows(int64_t offset) const;
  // Of the server's processes for this test's schema or name, how many the condition holds for.
  int Backends(const std::string& condition) const;

  static bool Wait(const std::function<bool()>& condition);
  std::string InSchema(const std::string& sql) const;  // For Query and Value.

 private:
  std::unique_ptr<PostgresServer> own_;
  std::unique_ptr<PostgresTestStore> place_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<Store> direct_;
};

// A client of the server's that is no store: a person, or what a dead program has left.
class PostgresStranger {
 public:
  explicit PostgresStranger(const std::string& url);
  // False if it fails.
  bool Do(const std::string& sql);

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace hubbub::chat
