// What a store says, and what it keeps, when the disk or its process fails.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "chat/store/sqlite_store.h"
#include "chat/store/testing/faulty_vfs.h"
#include "chat/store/testing/store_contract.h"
#include "chat/store/testing/temp_folder.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using Fault = FaultyVfs::Fault;

constexpr uint64_t kMe = 7;

LoggedEvent MakeEvent(int64_t offset, size_t size) {
  LoggedEvent event;
  event.room = "lobby";
  event.offset = offset;
  event.time_ms = offset;
  event.content = std::string(size, static_cast<char>('a' + offset % 26));
  return event;
}

AppendBatch MakeBatch(int64_t first, int64_t count, size_t size = 100) {
  AppendBatch batch;
  batch.slots = {{3, 1}};
  for (int64_t i = 0; i < count; ++i) batch.events.push_back({3, MakeEvent(first + i, size)});
  return batch;
}

class SqliteFaults : public testing::Test {
 protected:
  std::unique_ptr<Store> Open() {
    auto store = SqliteStore::Open({.path = path_, .vfs = vfs_.name()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // With the slot 3 claimed, and one event.
  std::unique_ptr<Store> OpenWithEvent() {
    auto store = Open();
    StoredServer server;
    server.incarnation = kMe;
    server.id = "chat-1";
    EXPECT_TRUE(store->Register(server).ok());
    EXPECT_TRUE(store->Claim(kMe, {3}, 0).ok());
    EXPECT_TRUE(store->Append(MakeBatch(1, 1)).ok());
    return store;
  }
  int64_t Head(Store& store) { return store.Heads({"lobby"})->front().head; }

  const TempFolder folder_;
  const std::string path_ = folder_ / "hubbub.db";
  FaultyVfs vfs_;
};

TEST_F(SqliteFaults, OnAFullDiskNothingHappens) {
  const auto store = OpenWithEvent();
  for (int nth = 1; nth <= 6; ++nth) {
    vfs_.Fail(Fault::kFull, nth);
    const auto answer = store->Append(MakeBatch(2, 20, 3000));
    ASSERT_TRUE(vfs_.Struck()) << "this many writes were not made: " << nth;
    EXPECT_THAT(answer.status(), HasCode(absl::StatusCode::kUnavailable)) << nth;
    vfs_.Heal();
    EXPECT_EQ(Head(*store), 1);
  }
  const auto answer = store->Append(MakeBatch(2, 20, 3000));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->added, std::vector<bool>(20, true));
}

TEST_F(SqliteFaults, AnErrorInTheCommitLeavesItUnknown) {
  const auto store = OpenWithEvent();
  int64_t next = 2;
  for (const Fault fault : {Fault::kWrite, Fault::kSync}) {
    const AppendBatch batch = MakeBatch(next, 5);
    vfs_.Fail(fault);
    EXPECT_THAT(store->Append(batch).status(), HasCode(absl::StatusCode::kUnknown));
    ASSERT_TRUE(vfs_.Struck());
    vfs_.Heal();
    const auto again = store->Append(batch);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->slots, std::vector<int>{3});
    next += 5;
    EXPECT_EQ(Head(*store), next - 1);
  }
}

TEST_F(SqliteFaults, AnErrorBeforeTheCommitLeavesNothing) {
  const auto store = OpenWithEvent();
  const auto other = Open();
  ASSERT_TRUE(other->Append(MakeBatch(2, 1)).ok());  // What the first one remembers of the file is old now.
  vfs_.Fail(Fault::kRead);
  EXPECT_THAT(store->Append(MakeBatch(3, 1)).status(), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(store->Heads({"lobby"}).status(), HasCode(absl::StatusCode::kUnavailable));
  vfs_.Heal();
  EXPECT_EQ(Head(*store), 2);
  EXPECT_EQ(store->Append(MakeBatch(3, 1))->added, std::vector<bool>{true});
}

TEST_F(SqliteFaults, AReadOnlyFileIsRefused) {
  OpenWithEvent();
  vfs_.Fail(Fault::kReadOnly);
  const auto store = SqliteStore::Open({.path = path_, .vfs = vfs_.name()});
  EXPECT_THAT(store.status(), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(store.status().message()), testing::HasSubstr("read-only"));
}

TEST_F(SqliteFaults, NothingIsWrittenIntoAFileThatWasRemovedOrReplaced) {
  const auto store = OpenWithEvent();
  std::filesystem::rename(path_, folder_ / "away.db");
  EXPECT_THAT(store->Append(MakeBatch(2, 1)).status(), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(store->Read().status(), HasCode(absl::StatusCode::kFailedPrecondition));
  std::filesystem::copy_file(folder_ / "away.db", path_);
  EXPECT_THAT(store->Append(MakeBatch(2, 1)).status(), HasCode(absl::StatusCode::kFailedPrecondition));
  std::filesystem::rename(folder_ / "away.db", path_);
  EXPECT_TRUE(store->Append(MakeBatch(2, 1)).ok()) << "the file is back";
}

// Invariant 3's foundation: whatever was acknowledged is found after a power cut, wherever it comes.
TEST(SqlitePowerCut, WhatWasAcknowledgedIsThere) {
  for (uint32_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    const TempFolder folder, later;
    FaultyVfs vfs;
    std::minstd_rand random(seed);
    int64_t acknowledged = 0;
    int64_t pending = 0;
    bool claimed = false;
    // The first seeds cut while the store is made; the others while it is used, and its log moved into the
    // file.
    vfs.Fail(Fault::kPowerOff, static_cast<int>(seed <= 15 ? seed * 3 : random() % 3000));
    auto store = SqliteStore::Open({.path = folder / "hubbub.db", .vfs = vfs.name()});
    if (store.ok()) {
      StoredServer server;
      server.incarnation = kMe;
      claimed = (*store)->Register(server).ok() && (*store)->Claim(kMe, {3}, 0).ok();
      while (claimed && !vfs.Struck()) {
        pending = 1 + static_cast<int64_t>(random() % 3);
        if (!(*store)->Append(MakeBatch(acknowledged + 1, pending, 20000)).ok()) break;
        acknowledged += pending;
        pending = 0;
      }
      *store = nullptr;
    }
    vfs.Salvage(folder.path(), later.path(), seed);
    const auto found = SqliteStore::Open({.path = later / "hubbub.db"});
    ASSERT_TRUE(found.ok()) << found.status() << ", seed " << seed;
    if (claimed) {
      EXPECT_EQ((*found)->Read()->slots.at(3).owner, kMe) << "a claim was lost, seed " << seed;
    }
    const auto log = *(*found)->Recent("lobby", 0, 1 << 20);
    const auto size = static_cast<int64_t>(log.size());
    EXPECT_TRUE(size == acknowledged || size == acknowledged + pending)
        << size << " of " << acknowledged << " and " << pending << " in doubt, seed " << seed;
    for (int64_t i = 0; i < size; ++i) {
      LoggedEvent event = MakeEvent(i + 1, 20000);
      event.generation = 1;
      ASSERT_EQ(log[static_cast<size_t>(i)], event) << "seed " << seed;
    }
  }
}

TEST(SqlitePowerCut, WithoutWaitingForTheDiskTheStoreIsWhole) {
  for (uint32_t seed = 1; seed <= 20 && !testing::Test::HasFailure(); ++seed) {
    const TempFolder folder, later;
    FaultyVfs vfs;
    auto store = SqliteStore::Open({.path = folder / "hubbub.db", .sync = false, .vfs = vfs.name()});
    ASSERT_TRUE(store.ok()) << store.status();
    StoredServer server;
    server.incarnation = kMe;
    ASSERT_TRUE((*store)->Register(server).ok() && (*store)->Claim(kMe, {3}, 0).ok());
    vfs.Fail(Fault::kPowerOff, static_cast<int>(std::minstd_rand(seed)() % 2000));
    int64_t next = 1;
    while ((*store)->Append(MakeBatch(next, 1, 20000)).ok()) ++next;
    *store = nullptr;
    vfs.Salvage(folder.path(), later.path(), seed);
    const auto found = SqliteStore::Open({.path = later / "hubbub.db"});
    ASSERT_TRUE(found.ok()) << found.status() << ", seed " << seed;
    const auto log = *(*found)->Recent("lobby", 0, 1 << 20);
    for (size_t i = 0; i < log.size(); ++i)
      ASSERT_EQ(log[i].offset, static_cast<int64_t>(i) + 1) << "seed " << seed;
  }
}

// A process that appends until it is killed, and says through the pipe what was acknowledged.
[[noreturn]] void AppendUntilKilled(const std::string& path, bool sync, int pipe) {
  auto store = SqliteStore::Open({.path = path, .sync = sync});
  if (!store.ok()) _exit(1);
  int64_t head = (*store)->Heads({"lobby"})->front().head;
  for (int i = 0; i < 100000; ++i) {
    if (!(*store)->Append(MakeBatch(head + 1, 2)).ok()) _exit(2);
    head += 2;
    if (write(pipe, &head, sizeof head) != sizeof head) _exit(3);
  }
  _exit(4);
}

TEST(SqliteKill, WhatWasAcknowledgedIsThere) {
  for (const bool sync : {true, false}) {
    const TempFolder folder;
    const std::string path = folder / "hubbub.db";
    {
      auto store = SqliteStore::Open({.path = path, .sync = sync});
      ASSERT_TRUE(store.ok()) << store.status();
      StoredServer server;
      server.incarnation = kMe;
      ASSERT_TRUE((*store)->Register(server).ok() && (*store)->Claim(kMe, {3}, 0).ok());
    }
    for (int round = 0; round < 8; ++round) {
      // No connection is open here: none may pass a fork.
      int ends[2];
      ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
      const pid_t child = fork();
      if (child == 0) AppendUntilKilled(path, sync, ends[1]);
      close(ends[1]);
      int64_t acknowledged = 0, head = 0;
      for (int i = 0; read(ends[0], &head, sizeof head) == sizeof head; ++i) {
        acknowledged = head;
        if (i == 3 * round) kill(child, SIGKILL);
      }
      close(ends[0]);
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
      const auto store = SqliteStore::Open({.path = path, .sync = sync});
      ASSERT_TRUE(store.ok()) << store.status();
      const auto log = *(*store)->Recent("lobby", 0, 1 << 20);
      const auto size = static_cast<int64_t>(log.size());
      EXPECT_GE(size, acknowledged);
      EXPECT_EQ(size % 2, 0) << "half a batch is there";
      for (int64_t i = 0; i < size; ++i) ASSERT_EQ(log[static_cast<size_t>(i)].offset, i + 1);
    }
  }
}

}  // namespace
}  // namespace hubbub::chat
