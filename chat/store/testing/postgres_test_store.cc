#include "chat/store/testing/postgres_test_store.h"

#include <atomic>

#include "chat/store/postgres_store.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

std::string NextName() {
  static std::atomic<int> last{0};
  return fmt::format("store_{}", ++last);
}

}  // namespace

PostgresServer* SharedPostgres() {
  static const std::unique_ptr<PostgresServer> server = PostgresServer::Start();
  return server.get();
}

std::unique_ptr<PostgresTestStore> PostgresTestStore::Make() {
  const PostgresServer* server = SharedPostgres();
  return server == nullptr ? nullptr : std::make_unique<PostgresTestStore>(*server);
}

PostgresTestStore::PostgresTestStore(const PostgresServer& server) : server_(server), schema_(NextName()) {
  server_.Query("CREATE SCHEMA " + schema_);
}

PostgresTestStore::~PostgresTestStore() {
  server_.Query(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", schema_));
}

absl::StatusOr<std::unique_ptr<Store>> PostgresTestStore::Connect() {
  StoreOptions options;
  options.url = url();
  return OpenPostgresStore(options);
}

std::string PostgresTestStore::UrlAt(int port) const {
  return fmt::format("{}&options=-csearch_path%3D{}", PostgresServer::UrlAt(port), schema_);
}

}  // namespace hubbub::chat
