#include "chat/store/testing/postgres_fixture.h"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "fmt/format.h"

namespace hubbub::chat {

void PostgresFixture::Use(const PostgresServer* server) {
  if (server == nullptr) GTEST_SKIP() << "this machine has no PostgreSQL";
  place_ = std::make_unique<PostgresTestStore>(*server);
  proxy_ = std::make_unique<TcpProxy>(server->port());
  auto direct = place_->Connect();
  ASSERT_TRUE(direct.ok()) << direct.status();
  direct_ = *std::move(direct);
  for (const uint64_t incarnation : {kA, kB}) {
    StoredServer run;
    run.incarnation = incarnation;
    run.id = fmt::format("chat-{}", incarnation);
    run.history = "durable";
    ASSERT_TRUE(direct_->Register(run).ok());
  }
  const auto claimed = direct_->Claim(kA, {1}, 0);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  ASSERT_EQ(*claimed, (std::vector<SlotGeneration>{{1, 1}}));
}

std::unique_ptr<Store> PostgresFixture::Proxied(const PostgresTimes& times, const std::string& more) {
  StoreOptions options;
  options.url = place_->UrlAt(proxy_->port()) + "&application_name=proxied" + more;
  auto store = OpenPostgresStore(options, times);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

AppendBatch PostgresFixture::Batch(int64_t offset, int64_t generation) {
  AppendBatch batch;
  batch.slots = {{1, generation}};
  LoggedEvent event;
  event.room = "lobby";
  event.offset = offset;
  event.time_ms = offset;
  event.content = fmt::format("of generation {}", generation);
  batch.events.push_back({1, event});
  return batch;
}

std::string PostgresFixture::InSchema(const std::string& sql) const {
  return fmt::format("SET search_path = {}; {}", place_->schema(), sql);
}

int PostgresFixture::Rows() const {
  return std::stoi(server().Value(InSchema("SELECT count(*) FROM events WHERE room = 'lobby'")));
}

int PostgresFixture::Rows(int64_t offset) const {
  return std::stoi(server().Value(
      InSchema(fmt::format("SELECT count(*) FROM events WHERE room = 'lobby' AND \"offset\" = {}", offset))));
}

int PostgresFixture::Backends(const std::string& condition) const {
  return std::stoi(server().Value("SELECT count(*) FROM pg_stat_activity WHERE " + condition));
}

bool PostgresFixture::Wait(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    usleep(2000);
  }
  return true;
}

PostgresStranger::PostgresStranger(const std::string& url)
    : connection_(PQconnectdb(url.c_str()), &PQfinish) {}

bool PostgresStranger::Do(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection_.get(), sql.c_str()),
                                                              &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

}  // namespace hubbub::chat
