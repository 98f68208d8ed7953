// Locks that others hold, and the waits for them.
#include <thread>

#include "chat/store/testing/postgres_fixture.h"
#include "chat/store/testing/store_contract.h"
#include "gmock/gmock.h"

namespace hubbub::chat {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using std::chrono_literals::operator""ms;

class PostgresLocks : public PostgresFixture {
 protected:
  // Whether a statement through the proxy waits for a lock.
  bool SomebodyWaits() const {
    return Backends("application_name = 'proxied' AND wait_event_type = 'Lock'") > 0;
  }

  static constexpr PostgresTimes kShort{.look = 50ms, .dead_holder = 300ms};
};

TEST_F(PostgresLocks, AClaimPassesOverALockedSlot) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 5 FOR SHARE"));
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  auto claimed = store->Claim(kB, {5, 6}, 0);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_THAT(*claimed, ElementsAre(SlotGeneration{6, 1}));
  ASSERT_TRUE(stranger.Do("COMMIT"));
  claimed = store->Claim(kB, {5}, 0);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_THAT(*claimed, ElementsAre(SlotGeneration{5, 1}));
}

TEST_F(PostgresLocks, ASlotThatADeadClientHoldsIsClaimedInTheEnd) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 5 FOR UPDATE"));
  const auto store = Proxied(kShort);
  ASSERT_NE(store, nullptr);
  absl::StatusOr<std::vector<SlotGeneration>> claimed;
  EXPECT_TRUE(Wait([&] {
    claimed = store->Claim(kB, {5}, 0);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return !claimed.ok() || !claimed->empty();
  }));
  EXPECT_THAT(*claimed, ElementsAre(SlotGeneration{5, 1}));
  EXPECT_FALSE(stranger.Do("COMMIT")) << "its process was ended";
}

TEST_F(PostgresLocks, AnAppendWaitsForWhoHoldsItsSlot) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  absl::StatusOr<AppendAnswer> answer;
  std::thread caller([&] { answer = store->Append(Batch(1)); });
  EXPECT_TRUE(Wait([&] { return SomebodyWaits(); }));
  EXPECT_EQ(Rows(), 0);
  EXPECT_TRUE(stranger.Do("COMMIT"));
  caller.join();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->added, ElementsAre(true));
}

TEST_F(PostgresLocks, AnAppendThatWaitedForAClaimIsFenced) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; UPDATE slots SET owner = 22, generation = 2 WHERE slot = 1"));
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  absl::StatusOr<AppendAnswer> answer;
  std::thread caller([&] { answer = store->Append(Batch(1)); });
  EXPECT_TRUE(Wait([&] { return SomebodyWaits(); }));
  EXPECT_TRUE(stranger.Do("COMMIT"));
  caller.join();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->slots, IsEmpty());
  EXPECT_EQ(Rows(), 0);
}

TEST_F(PostgresLocks, AnAppendEndsTheDeadClientThatHoldsItsSlot) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  const auto store = Proxied(kShort);
  ASSERT_NE(store, nullptr);
  const auto answer = store->Append(Batch(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->added, ElementsAre(true));
  EXPECT_FALSE(stranger.Do("COMMIT"));
}

TEST_F(PostgresLocks, WhoWaitsForADeadClientItselfIsNotEnded) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  // It does not look, so only the other one does, which waits for it or for the stranger.
  const auto patient = Proxied({.look = 60'000ms});
  const auto store = Proxied(kShort, "&application_name=second");
  ASSERT_NE(patient, nullptr);
  ASSERT_NE(store, nullptr);
  absl::StatusOr<std::vector<SlotGeneration>> kept;
  std::thread keeper([&] { kept = patient->Keep(kA, {{1, 1}}); });
  EXPECT_TRUE(Wait([&] { return SomebodyWaits(); }));
  const auto answer = store->Append(Batch(1));
  keeper.join();
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_THAT(*kept, ElementsAre(SlotGeneration{1, 2}));
  EXPECT_FALSE(stranger.Do("COMMIT"));
}

TEST_F(PostgresLocks, AStatementThatWasCancelledIsNotKnown) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(1)).status(); });
  EXPECT_TRUE(Wait([&] { return SomebodyWaits(); }));
  server().Query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'proxied'");
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kUnknown));
  EXPECT_TRUE(stranger.Do("COMMIT"));
  EXPECT_TRUE(store->Append(Batch(1)).ok());
}

TEST_F(PostgresLocks, AWaitIsInterrupted) {
  PostgresStranger stranger(place().url());
  ASSERT_TRUE(stranger.Do("BEGIN; SELECT FROM slots WHERE slot = 1 FOR UPDATE"));
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  absl::Status status;
  std::thread caller([&] { status = store->Append(Batch(1)).status(); });
  EXPECT_TRUE(Wait([&] { return SomebodyWaits(); }));
  store->Interrupt();
  caller.join();
  EXPECT_THAT(status, HasCode(StatusCode::kCancelled));
  EXPECT_THAT(store->Read().status(), HasCode(StatusCode::kCancelled));
  EXPECT_TRUE(stranger.Do("COMMIT"));
}

}  // namespace
}  // namespace hubbub::chat
