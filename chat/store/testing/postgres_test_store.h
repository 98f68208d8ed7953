#pragma once

#include <memory>
#include <string>

#include "chat/store/testing/postgres_server.h"
#include "chat/store/testing/store_contract.h"

namespace hubbub::chat {

// One server for all tests of a program, made by the first that asks; null if this machine has no PostgreSQL.
// Tests that stop it, or change its settings, start one of their own.
PostgresServer* SharedPostgres();

// A store in a schema of its own at that server.
class PostgresTestStore : public TestStore {
 public:
  // Null if this machine has no PostgreSQL.
  static std::unique_ptr<PostgresTestStore> Make();
  // At another server; it outlives this object.
  explicit PostgresTestStore(const PostgresServer& server);
  ~PostgresTestStore() override;

  absl::StatusOr<std::unique_ptr<Store>> Connect() override;
  // Through a proxy at this port.
  std::string UrlAt(int port) const;
  std::string url() const { return UrlAt(server_.port()); }
  const std::string& schema() const { return schema_; }
  const PostgresServer& server() const { return server_; }

 private:
  const PostgresServer& server_;
  const std::string schema_;
};

}  // namespace hubbub::chat
