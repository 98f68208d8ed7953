#include "chat/store/sqlite_store.h"

#include "chat/store/testing/store_contract.h"
#include "chat/store/testing/temp_folder.h"

namespace hubbub::chat {
namespace {

class TestSqliteStore : public TestStore {
 public:
  explicit TestSqliteStore(bool sync) : sync_(sync) {}
  absl::StatusOr<std::unique_ptr<Store>> Connect() override {
    return SqliteStore::Open({.path = folder_ / "hubbub.db", .sync = sync_});
  }

 private:
  const TempFolder folder_;
  const bool sync_;
};

StoreKind SqliteKind() {
  return {"SQLite", [] { return std::make_unique<TestSqliteStore>(true); }};
}

HUBBUB_TEST_STORE(Sqlite, SqliteKind());

}  // namespace
}  // namespace hubbub::chat
