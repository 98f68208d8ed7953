// Making and upgrading the tables, what is refused, and URLs.
#include "chat/store/postgres_schema.h"

#include <cstdlib>
#include <string>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "chat/store/testing/postgres_fixture.h"
#include "chat/store/testing/store_contract.h"
#include "fmt/format.h"
#include "gmock/gmock.h"

namespace hubbub::chat {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;
using std::chrono_literals::operator""ms;

class PostgresSchemaTest : public PostgresFixture {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& suite = "hubbub") {
    StoreOptions options;
    options.url = place().url();
    options.suite = suite;
    return OpenPostgresStore(options);
  }
  // With a version of the tables that adds a column.
  absl::StatusOr<StoreMeta> PrepareByNewerProgram(int oldest) {
    std::vector<PostgresSchemaStep> steps = PostgresSchema::Steps();
    steps.push_back({.version = steps.back().version + 1,
                     .oldest = oldest,
                     .sql = "ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT ''"});
    StoreOptions options;
    options.url = place().url();
    const auto settings = PostgresSettings::Parse(options, {});
    if (!settings.ok()) return settings.status();
    const InterruptibleWait wait;
    const auto resolver = *dns::Resolver::Create("");
    PostgresConnection connection(*settings, *resolver, wait);
    if (absl::Status status = connection.Connect(); !status.ok()) return status;
    return PostgresSchema(steps).Prepare(connection, options, "the store");
  }
  // All that is in the schema, to see that nothing was changed.
  std::string Picture() {
    std::string picture;
    for (const auto& row :
         server().Query(fmt::format("SELECT table_name, column_name FROM information_schema.columns WHERE "
                                    "table_schema = '{}' ORDER BY 1, 2",
                                    place().schema()))) {
      picture += row[0] + "." + row[1] + " ";
    }
    return picture;
  }
};

TEST_F(PostgresSchemaTest, AnotherSuitesStoreIsRefused) {
  const absl::Status status = Open("other").status();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("suite other"));
}

TEST_F(PostgresSchemaTest, ForeignTablesAreRefusedAndLeftAlone) {
  for (const std::string table : {"meta (key TEXT)", "events (id INT)"}) {
    server().Query(fmt::format("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0}", place().schema()));
    server().Query(InSchema("CREATE TABLE " + table));
    const std::string before = Picture();
    const absl::Status status = Open().status();
    EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()), HasSubstr(place().schema()));
    EXPECT_EQ(Picture(), before);
  }
}

TEST_F(PostgresSchemaTest, ASchemaThatDoesNotExistIsRefused) {
  server().Query(fmt::format("DROP SCHEMA {} CASCADE", place().schema()));
  EXPECT_THAT(Open().status(), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(PostgresSchemaTest, TablesThatVanishAreNoStore) {
  ASSERT_TRUE(direct().Read().ok());
  server().Query(InSchema("DROP TABLE events"));
  EXPECT_THAT(direct().Append(Batch(1)).status(), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(PostgresSchemaTest, ADatabaseOfAnotherEncodingIsRefused) {
  server().Query(fmt::format("CREATE DATABASE {}_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
                             place().schema()));
  StoreOptions options;
  options.url = server().url(place().schema() + "_latin");
  const absl::Status status = OpenPostgresStore(options).status();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("UTF8"));
  server().Query(fmt::format("DROP DATABASE {}_latin", place().schema()));
}

TEST_F(PostgresSchemaTest, AnUpgradeRunsBesideOlderPrograms) {
  const int version = PostgresSchema::Steps().back().version;
  std::vector<std::thread> threads;
  std::vector<absl::StatusOr<StoreMeta>> metas(4);
  for (auto& meta : metas) {
    threads.emplace_back([&] { meta = PrepareByNewerProgram(version); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& meta : metas) {
    ASSERT_TRUE(meta.ok()) << meta.status();
    EXPECT_EQ(meta->schema, version + 1);
    EXPECT_EQ(meta->oldest, version);
  }
  EXPECT_THAT(Picture(), HasSubstr("rooms.topic"));
  EXPECT_TRUE(direct().Append(Batch(1)).ok());
  EXPECT_TRUE(Open().ok()) << "an older program starts beside the newer one";
}

TEST_F(PostgresSchemaTest, ATooOldProgramIsRefused) {
  ASSERT_TRUE(PrepareByNewerProgram(PostgresSchema::Steps().back().version + 1).ok());
  EXPECT_THAT(Open().status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(direct().Read().status(), HasCode(StatusCode::kFailedPrecondition)) << "it runs already";
}

TEST_F(PostgresSchemaTest, ManyMakeTheTablesAtOnce) {
  for (int round = 0; round < 3; ++round) {
    server().Query(fmt::format("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0}", place().schema()));
    std::vector<std::thread> threads;
    std::vector<uint64_t> epochs(6);
    for (uint64_t& epoch : epochs) {
      threads.emplace_back([&] {
        auto store = Open();
        ASSERT_TRUE(store.ok()) << store.status();
        const auto view = (*store)->Read();
        ASSERT_TRUE(view.ok()) << view.status();
        epoch = view->meta.epoch;
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const uint64_t epoch : epochs) EXPECT_EQ(epoch, epochs[0]);
  }
}

TEST_F(PostgresSchemaTest, EverySessionSetsWhatItRestsOn) {
  server().Query(fmt::format(
      "ALTER ROLE hubbub SET default_transaction_isolation = 'serializable'; "
      "ALTER ROLE hubbub SET synchronous_commit = off; ALTER ROLE hubbub SET statement_timeout = 1; "));
  StoreOptions options;
  options.url = place().url();
  const auto settings = PostgresSettings::Parse(options, {});
  ASSERT_TRUE(settings.ok());
  const InterruptibleWait wait;
  const auto resolver = *dns::Resolver::Create("");
  PostgresConnection connection(*settings, *resolver, wait);
  ASSERT_TRUE(connection.Connect().ok());
  const auto rows = connection.RunAll(
      "SELECT concat_ws(',', current_setting('transaction_isolation'), "
      "current_setting('synchronous_commit'), "
      "current_setting('statement_timeout'), current_setting('client_encoding'), "
      "current_setting('application_name'), "
      "current_setting('tcp_keepalives_idle'))");
  server().Query("ALTER ROLE hubbub RESET ALL");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(std::string(rows->Text(0, 0)), "read committed,on,0,UTF8,hubbub,2");
}

TEST_F(PostgresSchemaTest, AHostOfTheEnvironmentIsForAUrlThatNamesNone) {
  ASSERT_EQ(setenv("PGHOST", "elsewhere.test", 1), 0);
  const absl::Cleanup unset = [] { unsetenv("PGHOST"); };
  const auto name = [](const std::string& url) {
    StoreOptions options;
    options.url = url;
    const auto settings = PostgresSettings::Parse(options, {});
    return settings.ok() ? PostgresSettings::NameToResolve(settings->hosts()[0]) : "refused";
  };
  EXPECT_EQ(name("postgres:///hubbub"), "elsewhere.test");
  EXPECT_EQ(name("postgres://here.test/hubbub"), "here.test");
  // Where the service is, its file says, which libpq reads.
  EXPECT_EQ(name("postgres:///hubbub?service=store"), "");
}

TEST_F(PostgresSchemaTest, HostsAreTriedInTurn) {
  // The first takes connections and says nothing.
  proxy().Swallow(TcpProxy::kToServer, true);
  StoreOptions options;
  options.url = fmt::format(
      "postgres://hubbub@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable&options=-csearch_path%3D{}",
      proxy().port(), server().port(), place().schema());
  auto store = OpenPostgresStore(options, {.connect = 1000ms});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->Read().ok());
  options.url = fmt::format("postgres://hubbub@127.0.0.1:{},127.0.0.1:1/postgres", proxy().port());
  store = OpenPostgresStore(options, {.connect = 100ms});
  EXPECT_THAT(store.status(), HasCode(StatusCode::kUnavailable));
}

TEST(PostgresUrl, IsCheckedWithoutATouch) {
  EXPECT_TRUE(CheckPostgresUrl("postgres://10.0.0.1/chat").ok());
  EXPECT_TRUE(CheckPostgresUrl("postgresql://ann@a:1,b:2/chat?sslmode=verify-full").ok());
  for (const std::string url :
       {"postgres://ann:secret@db/chat", "postgres://ann@db/chat?password=secret",
        "postgres://ann:secret@db/chat?nonsense=1", "postgres://db/chat?connect=%zzsecret",
        "postgres://a,b:1,c:2/chat?host=d,e"}) {
    const absl::Status status = CheckPostgresUrl(url);
    EXPECT_THAT(status, HasCode(StatusCode::kInvalidArgument)) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret"))) << url;
  }
}

TEST(PostgresUrl, NamesThePlaceForPeople) {
  StoreOptions options;
  options.url = "postgres://ann@a:1,b:2/chat";
  EXPECT_EQ(PostgresSettings::Parse(options, {})->name(), "PostgreSQL at a:1,b:2/chat as ann");
  options.url = "postgres://db/chat";
  EXPECT_EQ(PostgresSettings::Parse(options, {})->name(), "PostgreSQL at db/chat");
}

}  // namespace
}  // namespace hubbub::chat
