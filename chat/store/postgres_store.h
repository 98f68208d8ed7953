#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "chat/store/open_store.h"
#include "chat/store/postgres_settings.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// OpenStore for postgres:// and postgresql:// URLs.
absl::StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const StoreOptions& options,
                                                         const PostgresTimes& times = {});

// CheckStoreUrl for them.
absl::Status CheckPostgresUrl(const std::string& url);

}  // namespace hubbub::chat
