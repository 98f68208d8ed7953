// Servers that are killed, stopped, read-only, or let nobody in.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "chat/store/testing/postgres_fixture.h"
#include "chat/store/testing/store_contract.h"
#include "fmt/format.h"
#include "gmock/gmock.h"

namespace hubbub::chat {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using std::chrono_literals::operator""ms;

class PostgresOwnServer : public PostgresFixture {
 protected:
  void SetUp() override { UseOwn(); }
  // The same again until there is an answer, as a chat server does.
  static AppendAnswer Insist(Store& store, const AppendBatch& batch) {
    absl::StatusOr<AppendAnswer> answer;
    EXPECT_TRUE(Wait([&] {
      answer = store.Append(batch);
      if (!answer.ok()) {
        EXPECT_TRUE(absl::IsUnknown(answer.status()) || absl::IsUnavailable(answer.status()))
            << answer.status();
      }
      return answer.ok();
    })) << answer.status();
    return answer.ok() ? *std::move(answer) : AppendAnswer();
  }
};

TEST_F(PostgresOwnServer, WhatWasAcknowledgedSurvivesKills) {
  std::atomic<int64_t> acknowledged{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t offset = 1; !stop; ++offset) {
      EXPECT_THAT(Insist(direct(), Batch(offset)).slots, ElementsAre(1));
      acknowledged = offset;
    }
  });
  for (int kill = 0; kill < 3; ++kill) {
    const int64_t before = acknowledged;
    EXPECT_TRUE(Wait([&] { return acknowledged > before + 5; }));
    own().Kill();
    own().Restart();
  }
  const int64_t before = acknowledged;
  EXPECT_TRUE(Wait([&] { return acknowledged > before; }));
  stop = true;
  writer.join();
  EXPECT_EQ(Rows(), acknowledged);
  EXPECT_EQ(server().Value(InSchema("SELECT max(\"offset\") FROM events")), std::to_string(acknowledged));
}

TEST_F(PostgresOwnServer, AServerThatIsStoppedAndGoesOn) {
  const auto store = Proxied({.connect = 500ms, .answer = 500ms});
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Append(Batch(1)).ok());
  own().Pause();
  EXPECT_THAT(store->Append(Batch(2)).status(), HasCode(StatusCode::kUnknown));
  EXPECT_THAT(store->Append(Batch(2)).status(), HasCode(StatusCode::kUnavailable));
  own().Continue();
  Insist(*store, Batch(2));
  EXPECT_EQ(Rows(), 2);
}

TEST_F(PostgresOwnServer, ADatabaseThatBecomesReadOnlyIsUnavailable) {
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Append(Batch(1)).ok());
  own().Query("ALTER SYSTEM SET default_transaction_read_only = on");
  own().Reload();
  absl::Status status;
  // The server's processes see it at their next statement or so.
  int64_t offset = 2;
  EXPECT_TRUE(Wait([&] {
    status = store->Append(Batch(offset)).status();
    if (status.ok()) ++offset;
    return !status.ok();
  }));
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(store->Append(Batch(offset)).status(), HasCode(StatusCode::kUnavailable));
  PostgresStranger stranger(place().url());
  EXPECT_TRUE(stranger.Do("SET default_transaction_read_only = off"));
  EXPECT_TRUE(stranger.Do("ALTER SYSTEM RESET default_transaction_read_only"));
  own().Reload();
  EXPECT_THAT(Insist(*store, Batch(offset)).added, ElementsAre(true));
}

TEST_F(PostgresOwnServer, AServerThatIsStoppedForGoodIsUnavailable) {
  const auto store = Proxied();
  ASSERT_NE(store, nullptr);
  own().Stop();
  EXPECT_THAT(store->Append(Batch(1)).status(),
              testing::AnyOf(HasCode(StatusCode::kUnavailable), HasCode(StatusCode::kUnknown)));
  EXPECT_THAT(store->Append(Batch(1)).status(), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(store->Read().status(), HasCode(StatusCode::kUnavailable));
  own().Restart();
  EXPECT_TRUE(store->Read().ok());
}

class PostgresLogin : public PostgresFixture {
 protected:
  void SetUp() override {
    PostgresFixture::SetUp();
    if (IsSkipped()) return;
    server().Query(
        fmt::format("GRANT ALL ON SCHEMA {0} TO guarded; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO guarded",
                    place().schema()));
    file_ = (std::filesystem::temp_directory_path() / fmt::format("hubbub-password-{}", getpid())).string();
  }
  void TearDown() override { std::filesystem::remove(file_); }

  void Write(const std::string& password) { std::ofstream(file_) << password << "\n"; }
  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& password_file,
                                              const std::string& database = "postgres") {
    StoreOptions options;
    options.url = PostgresServer::UrlAt(proxy().port(), database, "guarded") + "&options=-csearch_path%3D" +
                  place().schema();
    options.password_file = password_file;
    return OpenPostgresStore(options);
  }

  std::string file_;
};

TEST_F(PostgresLogin, APasswordComesFromTheFile) {
  Write("secret");
  const auto store = Open(file_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_THAT((*store)->name(), HasSubstr("as guarded"));
  // It is read at each connect.
  Write("a new one that is wrong");
  proxy().Cut();
  const absl::Status status = (*store)->Read().status();
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("a new one")));
  Write("secret");
  EXPECT_TRUE((*store)->Read().ok());
}

TEST_F(PostgresLogin, APasswordComesFromTheEnvironment) {
  setenv("PGPASSWORD", "secret", 1);
  const auto store = Open("");
  unsetenv("PGPASSWORD");
  EXPECT_TRUE(store.ok()) << store.status();
}

TEST_F(PostgresLogin, AWrongOrMissingPasswordIsForAPerson) {
  EXPECT_THAT(Open("").status(), HasCode(StatusCode::kFailedPrecondition));
  Write("wrong");
  const absl::Status status = Open(file_).status();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("PGPASSWORD"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("wrong")));
  std::filesystem::remove(file_);
  EXPECT_THAT(Open(file_).status(), HasCode(StatusCode::kUnavailable)) << "it may come";
}

TEST_F(PostgresLogin, AMissingDatabaseIsForAPerson) {
  Write("secret");
  const absl::Status status = Open(file_, "nowhere").status();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nowhere"));
}

TEST_F(PostgresLogin, MissingRightsAreForAPerson) {
  Write("secret");
  server().Query(
      fmt::format("CREATE SCHEMA {0}_bare; GRANT USAGE ON SCHEMA {0}_bare TO guarded", place().schema()));
  StoreOptions options;
  options.url =
      server().url("postgres", "guarded") + "&options=-csearch_path%3D" + place().schema() + "_bare";
  options.password_file = file_;
  EXPECT_THAT(OpenPostgresStore(options).status(), HasCode(StatusCode::kFailedPrecondition));
  server().Query(fmt::format("DROP SCHEMA {}_bare CASCADE", place().schema()));
}

}  // namespace
}  // namespace hubbub::chat
