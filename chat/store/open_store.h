#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "chat/store/store.h"

namespace hubbub::chat {

struct StoreOptions {
  // sqlite:PATH, or postgres://[USER@]HOST[:PORT]/DATABASE[?SETTING=VALUE…] as libpq reads it. A password in
  // it is refused, because process titles show it: PGPASSWORD, PGPASSFILE or password_file have it.
  std::string url;
  std::string password_file = {};  // Read at each connect. Empty: none.
  // PostgreSQL: the DNS server to ask for the URL's hosts, as in dns::Resolver. Empty: the system's.
  std::string dns_server = {};
  // SQLite: wait for the disk at each commit. Without it a commit survives the end of the process, and not a
  // power cut.
  bool sync = true;
  // The suite that the store must belong to; a store that is made gets this name and so many slots.
  std::string suite = "hubbub";
  int slots = 1024;
  // Of a store that is made; 0: a random one.
  uint64_t epoch = 0;
  // False: a store that is not there is not made, which is FAILED_PRECONDITION.
  bool make = true;
  // A stop ends the opening: CANCELLED. What is open by then is ended by Store::Interrupt alone.
  std::stop_token stop = {};
};

// Opens a connection. The first one makes the tables, or brings them up to date, under a lock, so that many
// may do so at once. INVALID_ARGUMENT: the URL is wrong. Other errors: see Store.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreOptions& options);

// INVALID_ARGUMENT if the URL cannot be used, with a sentence for the person who wrote it. Touches nothing.
absl::Status CheckStoreUrl(const std::string& url);

}  // namespace hubbub::chat
