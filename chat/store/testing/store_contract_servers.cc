// Of every store: chat servers and their beats.
#include <atomic>
#include <thread>

#include "chat/store/testing/store_contract.h"

namespace hubbub::chat {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContract, IsMadeWithItsSlotsAndAnEpoch) {
  const StoreView view = Get(store().Read());
  EXPECT_EQ(view.meta.suite, "hubbub");
  EXPECT_EQ(view.meta.slots, 1024);
  EXPECT_GE(view.meta.epoch, 1u);
  EXPECT_LT(view.meta.epoch, uint64_t{1} << 53);
  EXPECT_GE(view.meta.schema, 1);
  EXPECT_LE(view.meta.oldest, view.meta.schema);
  EXPECT_THAT(view.servers, IsEmpty());
  ASSERT_THAT(view.slots, SizeIs(1024));
  for (int i = 0; i < 1024; ++i) EXPECT_EQ(view.slots[static_cast<size_t>(i)], (StoredSlot{i, 0, 0}));
}

TEST_P(StoreContract, EveryConnectionSeesTheSameStore) {
  const auto other = Another();
  EXPECT_EQ(Get(other->Read()).meta, Get(store().Read()).meta);
  Register(kA);
  EXPECT_EQ(Get(other->Read()).servers, Get(store().Read()).servers);
}

TEST_P(StoreContract, ManyMayOpenItAtOnceAndOneMakesIt) {
  // By a kind of its own, whose tables do not exist yet.
  const auto place = GetParam().make();
  std::vector<std::thread> threads;
  std::vector<StoreMeta> metas(4);
  threads.reserve(metas.size());
  for (StoreMeta& meta : metas) {
    threads.emplace_back([&place, &meta] {
      if (const auto one = Get(place->Connect())) meta = Get(one->Read()).meta;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const StoreMeta& meta : metas) {
    EXPECT_GT(meta.epoch, 0u);
    EXPECT_EQ(meta, metas.front());
  }
}

TEST_P(StoreContract, AServerIsListedAsItRegistered) {
  StoredServer server = Server(kA, "chat-1");
  server.draining = true;
  Ok(store().Register(server));
  EXPECT_EQ(Get(store().Read()).servers, std::vector<StoredServer>{server});
}

TEST_P(StoreContract, TheGreatestIncarnationIsKept) {
  constexpr uint64_t kGreatest = (uint64_t{1} << 53) - 1;
  Register(kGreatest);
  EXPECT_TRUE(Get(store().Renew(kGreatest)));
  EXPECT_EQ(Claim(store(), kGreatest, 3), 1);
  EXPECT_EQ(ListedSlot(3).owner, kGreatest);
}

TEST_P(StoreContract, ALaterRunMakesTheEarlierOneGone) {
  Ok(store().Register(Server(kA, "chat-1")));
  EXPECT_GT(Claim(store(), kA, 0), 0);
  Ok(store().Register(Server(kB, "chat-1")));
  EXPECT_TRUE(ListedServer(kA).gone);
  EXPECT_FALSE(ListedServer(kB).gone);
  EXPECT_FALSE(Get(store().Renew(kA)));
  EXPECT_TRUE(Get(store().Renew(kB)));
}

TEST_P(StoreContract, RegisteringAgainChangesNothing) {
  Ok(store().Register(Server(kA, "chat-1")));
  EXPECT_TRUE(Get(store().Renew(kA)));
  Ok(store().Register(Server(kA, "chat-1")));
  EXPECT_EQ(ListedServer(kA).beat, 1);
  EXPECT_FALSE(ListedServer(kA).gone);
}

TEST_P(StoreContract, ALateRepeatDoesNotMakeTheYoungerRunGone) {
  Ok(store().Register(Server(kA, "chat-1")));
  Ok(store().Register(Server(kB, "chat-1")));
  Ok(store().Register(Server(kA, "chat-1")));
  EXPECT_FALSE(Get(store().Renew(kA)));
  EXPECT_TRUE(Get(store().Renew(kB)));
}

TEST_P(StoreContract, OneSuiteHasOneModeOfHistory) {
  Ok(store().Register(Server(kA, "chat-1", "durable")));
  Ok(store().Register(Server(kB, "chat-2", "durable")));
  EXPECT_THAT(store().Register(Server(kC, "chat-2", "memory")),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(Get(store().Renew(kB))) << "it was made gone by a registration that was refused";
  EXPECT_EQ(ListedServer(kC).incarnation, 0u);
  MakeGone(kA);
  Ok(store().Register(Server(kC, "chat-2", "memory")));
  EXPECT_FALSE(Get(store().Renew(kB)));
}

TEST_P(StoreContract, ABeatIsAddedToWhileTheServerIsNotGone) {
  Register(kA);
  EXPECT_TRUE(Get(store().Renew(kA)));
  EXPECT_TRUE(Get(store().Renew(kA)));
  EXPECT_EQ(ListedServer(kA).beat, 2);
  MakeGone(kA);
  EXPECT_FALSE(Get(store().Renew(kA)));
  EXPECT_FALSE(Get(store().Renew(kB))) << "it was never listed";
}

TEST_P(StoreContract, AServerIsMarkedGoneOnlyByItsBeat) {
  Register(kA);
  EXPECT_TRUE(Get(store().Renew(kA)));
  EXPECT_FALSE(Get(store().MarkGone(kA, 0)));
  EXPECT_FALSE(Get(store().MarkGone(kA, 2)));
  EXPECT_TRUE(Get(store().Renew(kA)));
  EXPECT_TRUE(Get(store().MarkGone(kA, 2)));
  EXPECT_TRUE(Get(store().MarkGone(kA, 2))) << "it is gone by now";
  EXPECT_TRUE(Get(store().MarkGone(kA, 7))) << "it is gone, whatever its beat was";
  EXPECT_TRUE(Get(store().MarkGone(kB, 0))) << "it was never listed";
}

TEST_P(StoreContract, OfARenewalAndAMarkByTheSameBeatOneWins) {
  const auto other = Another();
  for (uint64_t incarnation = 100; incarnation < 120; ++incarnation) {
    Register(incarnation);
    bool marked = false;
    std::thread marker([&] { marked = Get(other->MarkGone(incarnation, 0)); });
    const bool renewed = Get(store().Renew(incarnation));
    marker.join();
    EXPECT_NE(marked, renewed);
    EXPECT_EQ(Get(store().Renew(incarnation)), renewed) << "gone is never undone";
  }
}

TEST_P(StoreContract, ServersThatAreGoneAreListedWhileTheyOwnSlots) {
  Register(kA);
  Register(kB);
  EXPECT_GT(Claim(store(), kA, 5), 0);
  MakeGone(kA);
  EXPECT_TRUE(ListedServer(kA).gone);
  EXPECT_GT(Claim(store(), kB, 5), 0);
  EXPECT_EQ(ListedServer(kA).incarnation, 0u);
}

TEST_P(StoreContract, DrainingIsSetAndTakenBack) {
  Register(kA);
  Ok(store().SetDraining(kA, true));
  EXPECT_TRUE(ListedServer(kA).draining);
  Ok(store().SetDraining(kA, false));
  EXPECT_FALSE(ListedServer(kA).draining);
  Ok(store().SetDraining(kB, true));
}

TEST_P(StoreContract, WhoLeavesIsGoneAndItsSlotsAreNobodys) {
  Register(kA);
  Register(kB);
  EXPECT_THAT(Get(store().Claim(kA, {1, 2}, 40)), SizeIs(2));
  EXPECT_GT(Claim(store(), kB, 3), 0);
  Ok(store().Leave(kA));
  Ok(store().Leave(kA));
  EXPECT_FALSE(Get(store().Renew(kA)));
  EXPECT_EQ(ListedSlot(1), (StoredSlot{1, 0, 41}));
  EXPECT_EQ(ListedSlot(2), (StoredSlot{2, 0, 41}));
  EXPECT_EQ(ListedSlot(3).owner, kB);
  EXPECT_EQ(Claim(store(), kB, 1), 42) << "generations never begin again";
}

TEST_P(StoreContract, WhatWasInterruptedStaysSo) {
  const auto other = Another();
  std::atomic<bool> ended{false};
  std::thread caller([&] {
    for (;;) {
      if (const auto view = other->Read(); !view.ok()) {
        EXPECT_THAT(view.status(), HasCode(absl::StatusCode::kCancelled));
        break;
      }
    }
    EXPECT_THAT(other->Renew(kA).status(), HasCode(absl::StatusCode::kCancelled));
    ended = true;
  });
  other->Interrupt();
  caller.join();
  EXPECT_TRUE(ended);
  Get(store().Read());
}

}  // namespace
}  // namespace hubbub::chat
