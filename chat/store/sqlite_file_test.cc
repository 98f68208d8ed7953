// Which files are taken for a store, how one is made, and what happens to others: nothing.
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "chat/store/open_store.h"
#include "chat/store/sqlite_store.h"
#include "chat/store/testing/store_contract.h"
#include "chat/store/testing/temp_folder.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class SqliteFiles : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open(const std::vector<SqliteStep>* steps = &SqliteSchema::Steps()) {
    return SqliteStore::Open({.path = path_, .steps = steps});
  }
  // Another program's statements.
  void Run(const std::string& sql, bool close_cleanly = true) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    if (!close_cleanly) sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(database);
  }
  void Write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  // The file and its log. No connection is open then: who closes a file drops SQLite's locks.
  std::string Bytes() const {
    std::string all;
    for (const char* rest : {"", "-wal", "-journal"}) {
      std::ifstream in(path_ + rest, std::ios::binary);
      all.append(std::istreambuf_iterator<char>(in), {});
      all += '|';
    }
    return all;
  }
  void ExpectRefused(StatusCode code, const std::string& word,
                     const std::vector<SqliteStep>* steps = &SqliteSchema::Steps()) {
    const std::string before = Bytes();
    const absl::Status status = Open(steps).status();
    EXPECT_THAT(status, HasCode(code));
    EXPECT_THAT(std::string(status.message()), HasSubstr(word));
    EXPECT_THAT(std::string(status.message()), HasSubstr("hubbub.db"));
    EXPECT_TRUE(Bytes() == before) << "it was changed: " << status;
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "hubbub.db";
};

TEST_F(SqliteFiles, AStoreIsMadeAndFoundAgain) {
  StoreMeta meta;
  {
    const auto store = OpenStore({.url = "sqlite:" + path_, .suite = "mine", .slots = 16});
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->name(), "sqlite:" + path_);
    meta = (*store)->Read()->meta;
    EXPECT_EQ(meta.slots, 16);
  }
  const auto again = OpenStore({.url = "sqlite:" + path_, .sync = false, .suite = "mine", .slots = 1024});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Read()->meta, meta) << "how many slots there are is fixed when it is made";
  EXPECT_EQ((*again)->Read()->slots.size(), 16u);
}

TEST_F(SqliteFiles, NothingElseIsLeftBesideIt) {
  ASSERT_TRUE(Open().ok());
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::ElementsAre("hubbub.db"));
}

TEST_F(SqliteFiles, AnEmptyFileIsRefused) {
  Write("");
  ExpectRefused(StatusCode::kFailedPrecondition, "not a store");
}

TEST_F(SqliteFiles, AFileOfAnotherKindIsRefused) {
  Write(std::string(8192, 'x'));
  ExpectRefused(StatusCode::kFailedPrecondition, "not a database");
}

TEST_F(SqliteFiles, ADatabaseOfAnotherProgramIsRefused) {
  Run("CREATE TABLE meta (a); INSERT INTO meta VALUES (1)");
  ExpectRefused(StatusCode::kFailedPrecondition, "another program");
}

TEST_F(SqliteFiles, ADatabaseOfAnotherProgramKeepsItsLog) {
  Run("PRAGMA journal_mode = WAL; CREATE TABLE meta (a); INSERT INTO meta VALUES (1)", false);
  ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 0u);
  ExpectRefused(StatusCode::kFailedPrecondition, "another program");
}

TEST_F(SqliteFiles, ATruncatedStoreIsRefused) {
  ASSERT_TRUE(Open().ok());
  std::filesystem::resize_file(path_, 4096);
  ExpectRefused(StatusCode::kFailedPrecondition, "damaged");
}

TEST_F(SqliteFiles, AStoreWithoutItsRowsIsRefused) {
  ASSERT_TRUE(Open().ok());
  Run("DELETE FROM meta");
  ExpectRefused(StatusCode::kFailedPrecondition, "missing");
}

TEST_F(SqliteFiles, ADamagedStoreIsRefused) {
  ASSERT_TRUE(Open().ok());
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(3000, '\x5a');
  }
  ExpectRefused(StatusCode::kFailedPrecondition, "damaged");
}

TEST_F(SqliteFiles, AStoreOfAnotherSuiteIsRefused) {
  ASSERT_TRUE(SqliteStore::Open({.path = path_, .suite = "theirs"}).ok());
  ExpectRefused(StatusCode::kFailedPrecondition, "\"theirs\"");
}

TEST_F(SqliteFiles, AFolderIsRefused) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(Open().status(), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(SqliteFiles, AFolderThatIsNotThereIsNamed) {
  const auto store = SqliteStore::Open({.path = folder_ / "none/hubbub.db"});
  EXPECT_THAT(store.status(), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr(folder_ / "none;"));
}

TEST_F(SqliteFiles, AFolderThatCannotBeWrittenIsNamed) {
  // Not even root writes there.
  const auto store = SqliteStore::Open({.path = "/proc/hubbub.db"});
  EXPECT_THAT(store.status(), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("/proc/hubbub.db"));
}

TEST_F(SqliteFiles, TheRestOfARemovedStoreIsNotTakenForTheNewOnes) {
  std::ofstream(path_ + "-wal") << "old";
  ExpectRefused(StatusCode::kFailedPrecondition, "hubbub.db-wal");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// What a later release might add, and one after it that older programs must not touch.
const std::vector<SqliteStep>& TwoSteps() {
  static const std::vector<SqliteStep> steps = {
      SqliteSchema::Steps().front(), {"ALTER TABLE rooms ADD COLUMN title TEXT NOT NULL DEFAULT 'none'", 1}};
  return steps;
}
const std::vector<SqliteStep>& ThreeSteps() {
  static const std::vector<SqliteStep> steps = {
      TwoSteps()[0], TwoSteps()[1], {"CREATE TABLE more (a INTEGER)", 3}};
  return steps;
}

TEST_F(SqliteFiles, AnOlderStoreIsBroughtUpToDateInPlace) {
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  StoredServer server;
  server.incarnation = 7;
  ASSERT_TRUE((*old)->Register(server).ok() && (*old)->Claim(7, {3}, 0).ok());
  AppendBatch batch;
  batch.slots = {{3, 1}};
  LoggedEvent event;
  event.room = "lobby";
  event.offset = 1;
  batch.events.push_back({3, event});
  ASSERT_TRUE((*old)->Append(batch).ok());
  const StoreMeta meta = (*old)->Read()->meta;

  // Two at once, while the older program goes on.
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([this] { EXPECT_EQ(Open(&TwoSteps()).status(), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
  batch.events[0].event.room = "hall";
  EXPECT_TRUE((*old)->Append(batch).ok());
  const auto renewed = Open(&TwoSteps());
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ((*renewed)->Read()->meta.schema, 2);
  EXPECT_EQ((*renewed)->Read()->meta.epoch, meta.epoch);
  EXPECT_EQ((*renewed)->Heads({"lobby"})->front().head, 1);
  EXPECT_TRUE(Open().ok()) << "an older program restarts beside it";
}

TEST_F(SqliteFiles, AnOlderProgramIsToldThatItIsTooOld) {
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  ASSERT_TRUE(Open(&ThreeSteps()).ok());
  EXPECT_THAT((*old)->Read().status(), HasCode(StatusCode::kFailedPrecondition));
  const absl::Status status = Open().status();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 3"));
}

TEST_F(SqliteFiles, ANewerStoreStaysAsItIs) {
  ASSERT_TRUE(Open(&ThreeSteps()).ok());
  ExpectRefused(StatusCode::kFailedPrecondition, "newer program");
}

TEST_F(SqliteFiles, AStepThatFailsChangesNothing) {
  ASSERT_TRUE(Open().ok());
  const std::vector<SqliteStep> bad = {SqliteSchema::Steps().front(),
                                       {"CREATE TABLE half (a); CREATE TABLE slots (a)", 1}};
  EXPECT_THAT(Open(&bad).status(), HasCode(StatusCode::kInternal));
  EXPECT_EQ((*Open())->Read()->meta.schema, 1);
  EXPECT_TRUE(Open(&TwoSteps()).ok());
}

// Another connection has the lock.
class SqliteLocked : public SqliteFiles {
 protected:
  void SetUp() override {
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    StoredServer server;
    server.incarnation = 7;
    ASSERT_TRUE(store_->Register(server).ok());
    ASSERT_EQ(sqlite3_open(path_.c_str(), &holder_), SQLITE_OK);
    ASSERT_EQ(
        sqlite3_exec(holder_, "BEGIN IMMEDIATE; UPDATE servers SET beat = 40", nullptr, nullptr, nullptr),
        SQLITE_OK);
  }
  void TearDown() override { sqlite3_close(holder_); }
  void Release() { EXPECT_EQ(sqlite3_exec(holder_, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK); }

  std::unique_ptr<Store> store_;
  sqlite3* holder_ = nullptr;
};

TEST_F(SqliteLocked, WhoWritesWaitsForItsTurn) {
  std::thread writer([this] { EXPECT_TRUE(*store_->Renew(7)); });
  EXPECT_TRUE(Open().ok()) << "who reads waits for nobody";
  Release();
  writer.join();
  EXPECT_EQ(store_->Read()->servers.front().beat, 41);
}

TEST_F(SqliteLocked, WhoWaitsIsInterrupted) {
  std::thread writer([this] { EXPECT_THAT(store_->Renew(7).status(), HasCode(StatusCode::kCancelled)); });
  store_->Interrupt();
  writer.join();
  EXPECT_THAT(store_->Read().status(), HasCode(StatusCode::kCancelled));
  Release();
}

}  // namespace
}  // namespace hubbub::chat
