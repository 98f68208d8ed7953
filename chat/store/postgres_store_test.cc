#include "chat/store/postgres_store.h"

#include "chat/store/testing/postgres_test_store.h"
#include "chat/store/testing/store_contract.h"

namespace hubbub::chat {
namespace {

HUBBUB_TEST_STORE(Postgres, (StoreKind{"PostgreSQL", [] { return PostgresTestStore::Make(); }}));

}  // namespace
}  // namespace hubbub::chat
