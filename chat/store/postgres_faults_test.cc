// Connections that die, and what they leave behind.
#include <stop_token>
#include <thread>

#include "absl/strings/str_replace.h"
#include "chat/store/testing/postgres_fixture.h"
#include "chat/store/testing/store_contract.h"
#include "gmock/gmock.h"
#include "services/dns/testing/test_dns_server.h"

namespace hubbub::chat {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using std::chrono_literals::operator""ms;

class PostgresFaults : public PostgresFixture {
 protected:
  // With its connection open and its statements prepared.
  std::unique_ptr<Store> Warm(const PostgresTimes& times = {}) {
    auto store = Proxied(times);
    if (store) {
      const auto first = store->Append(Batch(1));
      EXPECT_TRUE(first.ok()) << first.status();
    }
    return store;
  }
  // Through the proxy, at a name that this DNS server knows.
  std::unique_ptr<Store> Named(const dns::TestDnsServer& dns) {
    StoreOptions options;
    options.url = absl::StrReplaceAll(place().UrlAt(proxy().port()), {{"127.0.0.1", "store.test."}});
    options.dns_server = dns.address();
    auto store = OpenPostgresStore(options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
};

TEST_F(PostgresFaults, AnAppendWhoseAnswerIsLostIsThereOnce) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  proxy().Swallow(TcpProxy::kToClient, true);
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(2)).status(); });
  EXPECT_TRUE(Wait([&] { return Rows(2) == 1; }));
  proxy().Cut();
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kUnknown));
  proxy().Swallow(TcpProxy::kToClient, false);
  const auto again = store->Append(Batch(2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->slots, ElementsAre(1));
  EXPECT_THAT(again->added, ElementsAre(false));
  EXPECT_EQ(Rows(), 2);
}

TEST_F(PostgresFaults, ARepeatThatOvertakesTheFirstSendingIsThereOnce) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  const uint64_t seen = proxy().seen(TcpProxy::kToServer);
  proxy().Hold(TcpProxy::kToServer, true);
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(2)).status(); });
  EXPECT_TRUE(Wait([&] { return proxy().seen(TcpProxy::kToServer) > seen; }));
  proxy().CutClients();
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kUnknown));
  const auto again = direct().Append(Batch(2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->added, ElementsAre(true));
  const std::string before = server().Value("SELECT pg_current_wal_lsn()");
  proxy().Hold(TcpProxy::kToServer, false);
  EXPECT_TRUE(Wait([&] { return Backends("application_name = 'proxied'") == 0; }));
  EXPECT_NE(server().Value("SELECT pg_current_wal_lsn()"), before) << "the first sending did not run";
  EXPECT_EQ(Rows(), 2);
}

TEST_F(PostgresFaults, AFirstSendingThatRunsBehindAClaimWritesNothing) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  const uint64_t seen = proxy().seen(TcpProxy::kToServer);
  proxy().Hold(TcpProxy::kToServer, true);
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(2)).status(); });
  EXPECT_TRUE(Wait([&] { return proxy().seen(TcpProxy::kToServer) > seen; }));
  proxy().CutClients();
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kUnknown));
  const auto claimed = direct().TakeOver(kB, {{1, kA, 1}}, 0);
  ASSERT_TRUE(claimed.ok());
  EXPECT_THAT(*claimed, ElementsAre(SlotGeneration{1, 2}));
  proxy().Hold(TcpProxy::kToServer, false);
  EXPECT_TRUE(Wait([&] { return Backends("application_name = 'proxied'") == 0; }));
  EXPECT_EQ(Rows(), 1);
  const auto fenced = store->Append(Batch(2));
  ASSERT_TRUE(fenced.ok()) << fenced.status();
  EXPECT_THAT(fenced->slots, IsEmpty());
}

// A proxy, or a stopped machine behind one, answers keepalives and nothing else.
TEST_F(PostgresFaults, AConnectionWithoutAnswersEndsInUnknownAndGoesOn) {
  const auto store = Warm({.answer = 1000ms});
  ASSERT_NE(store, nullptr);
  int64_t offset = 2;
  for (const TcpProxy::Way way : {TcpProxy::kToClient, TcpProxy::kToServer}) {
    proxy().Swallow(way, true);
    EXPECT_THAT(store->Append(Batch(offset)).status(), HasCode(StatusCode::kUnknown));
    proxy().Swallow(way, false);
    absl::StatusOr<AppendAnswer> again;
    EXPECT_TRUE(Wait([&] { return (again = store->Append(Batch(offset))).ok(); })) << again.status();
    EXPECT_EQ(Rows(offset), 1);
    ++offset;
  }
}

TEST_F(PostgresFaults, ABadConnectionIsOnlySlow) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  proxy().Delay(TcpProxy::kToClient, 20);
  proxy().Delay(TcpProxy::kToServer, 20);
  for (int64_t offset = 2; offset < 6; ++offset) {
    const auto answer = store->Append(Batch(offset));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->added, ElementsAre(true));
  }
}

TEST_F(PostgresFaults, TheProcessOfALostConnectionIsEnded) {
  const auto store = Warm({.answer = 1000ms});
  ASSERT_NE(store, nullptr);
  const std::string process =
      server().Value("SELECT pid FROM pg_stat_activity WHERE application_name = 'proxied'");
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  EXPECT_THAT(store->Append(Batch(2)).status(), HasCode(StatusCode::kUnknown)) << "a lock was held";
  EXPECT_TRUE(store->Read().ok());
  EXPECT_TRUE(Wait([&] { return Backends("pid = " + process) == 0; }))
      << "it would append when the lock is free";
  EXPECT_TRUE(stranger.Do("COMMIT"));
}

TEST_F(PostgresFaults, WhatEndedWhileNothingWasOutIsNoDoubt) {
  ASSERT_TRUE(direct().Append(Batch(1)).ok());
  const std::string process = server().Value(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE '%FOR SHARE OF s%' AND pid <> pg_backend_pid() "
      "ORDER BY backend_start DESC");
  server().Query("SELECT pg_terminate_backend(" + process + ")");
  EXPECT_TRUE(Wait([&] { return Backends("pid = " + process) == 0; }));
  const auto answer = direct().Append(Batch(2));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->added, ElementsAre(true));
}

TEST_F(PostgresFaults, AReadIsAskedAgainByItself) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(store->Read().ok());
  proxy().Hold(TcpProxy::kToClient, true);
  const uint64_t seen = proxy().seen(TcpProxy::kToClient);
  absl::Status status;
  std::thread caller([&] { status = store->Read().status(); });
  EXPECT_TRUE(Wait([&] { return proxy().seen(TcpProxy::kToClient) > seen; }));
  proxy().Cut();
  proxy().Hold(TcpProxy::kToClient, false);
  caller.join();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(PostgresFaults, AStoreThatCannotBeReachedIsUnavailable) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  proxy().Refuse(true);
  proxy().Cut();
  EXPECT_THAT(store->Append(Batch(2)).status(), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(store->Read().status(), HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(Rows(), 1);
  proxy().Refuse(false);
  EXPECT_TRUE(store->Append(Batch(2)).ok());
}

TEST_F(PostgresFaults, AStoreIsFoundByItsName) {
  dns::TestDnsServer dns;
  dns.Set("store.test", {"::1", "127.0.0.1"});  // The first takes no connection.
  const auto store = Named(dns);
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(store->Append(Batch(1)).ok());
  dns.SetBroken(true);
  proxy().Cut();
  const absl::Status status = store->Append(Batch(2)).status();
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), testing::HasSubstr("store.test. does not resolve: DNS: "));
  dns.SetBroken(false);
  EXPECT_TRUE(store->Append(Batch(2)).ok());
}

TEST_F(PostgresFaults, AnInterruptEndsAQuestionToASilentDns) {
  dns::TestDnsServer dns;
  dns.Set("store.test", {"127.0.0.1"});
  const auto store = Named(dns);
  ASSERT_NE(store, nullptr);
  dns.SetSilent(true);
  proxy().Cut();
  const int before = dns.questions();
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(1)).status(); });
  EXPECT_TRUE(Wait([&] { return dns.questions() > before; }));
  store->Interrupt();
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kCancelled));
}

TEST_F(PostgresFaults, AStopEndsTheOpeningOfAStoreThatIsSilent) {
  proxy().Hold(TcpProxy::kToClient, true);
  const uint64_t seen = proxy().seen(TcpProxy::kToServer);
  std::stop_source stop;
  StoreOptions options;
  options.url = place().UrlAt(proxy().port());
  options.stop = stop.get_token();
  absl::Status status;
  std::thread opener([&] { status = OpenPostgresStore(options, {.connect = 60'000ms}).status(); });
  EXPECT_TRUE(Wait([&] { return proxy().seen(TcpProxy::kToServer) > seen; }));
  stop.request_stop();
  opener.join();
  EXPECT_THAT(status, HasCode(StatusCode::kCancelled));
}

TEST_F(PostgresFaults, AStoreThatWasReplacedIsNoticed) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  server().Query(InSchema("UPDATE meta SET epoch = epoch % 1000 + 1"));
  proxy().Cut();
  EXPECT_THAT(store->Append(Batch(2)).status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(store->Read().status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Rows(), 1);
  EXPECT_NE(Proxied(), nullptr) << "who opens it anew knows it anew";
}

TEST_F(PostgresFaults, AStoreThatLostAnAcknowledgedEventIsNoticed) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Append(Batch(2)).ok());
  server().Query(InSchema("DELETE FROM events WHERE \"offset\" = 2"));
  proxy().Cut();
  EXPECT_THAT(store->Append(Batch(3)).status(), HasCode(StatusCode::kFailedPrecondition));
  // Another owner has written there since.
  server().Query(InSchema("INSERT INTO events VALUES ('lobby', 2, 2, 2, '', '', '', 0, '')"));
  EXPECT_THAT(store->Append(Batch(3)).status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Rows(3), 0);
}

TEST_F(PostgresFaults, AnEventThatWasTrimmedSinceIsNotLost) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(direct().Trim("lobby", 1).ok());
  ASSERT_TRUE(direct().DeleteTrimmed("lobby", 10, /*since_ms=*/0).ok());
  proxy().Cut();
  EXPECT_TRUE(store->Read().ok());
}

TEST_F(PostgresFaults, AStoreThatLostAClaimIsNoticed) {
  const auto store = Warm();
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Claim(kA, {3}, 7).ok());
  server().Query(InSchema("UPDATE slots SET owner = 0, generation = 0 WHERE slot = 3"));
  proxy().Cut();
  EXPECT_THAT(store->Claim(kA, {4}, 0).status(), HasCode(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace hubbub::chat
