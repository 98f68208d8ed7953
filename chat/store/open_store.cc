#include "chat/store/open_store.h"

#include "chat/store/postgres_store.h"
#include "chat/store/sqlite_store.h"
#include "chat/store/store_url.h"

namespace hubbub::chat {

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreOptions& options) {
  const absl::StatusOr<StoreUrl> url = ParseStoreUrl(options.url);
  if (!url.ok()) return url.status();
  if (url->kind == StoreUrl::Kind::kPostgres) return OpenPostgresStore(options);
  auto store = SqliteStore::Open({.path = url->path,
                                  .sync = options.sync,
                                  .suite = options.suite,
                                  .slots = options.slots,
                                  .epoch = options.epoch,
                                  .make = options.make,
                                  .stop = options.stop});
  // What keeps a file from being opened does not pass by itself.
  if (absl::IsUnavailable(store.status())) return absl::FailedPreconditionError(store.status().message());
  return store;
}

absl::Status CheckStoreUrl(const std::string& url) {
  const absl::StatusOr<StoreUrl> parsed = ParseStoreUrl(url);
  if (parsed.ok() && parsed->kind == StoreUrl::Kind::kPostgres) return CheckPostgresUrl(url);
  return parsed.status();
}

}  // namespace hubbub::chat
