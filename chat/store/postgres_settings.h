#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "chat/store/open_store.h"

namespace hubbub::chat {

// How long a connection to PostgreSQL waits. Tests shorten them.
struct PostgresTimes {
  // For one host to let us in. The URL's connect_timeout, if it is there, takes its place.
  std::chrono::milliseconds connect{5000};
  // For a statement's answer; then the connection is given up. Longer than TCP takes to notice a peer that is
  // gone (5 s): it is for one that keeps the connection and answers nothing, or a proxy that does.
  std::chrono::milliseconds answer{10'000};
  // A statement without an answer for so long looks whether it waits for a dead client's lock, again and
  // again.
  std::chrono::milliseconds look{1000};
  // A lock whose holder has waited for its client for so long is a dead client's.
  std::chrono::milliseconds dead_holder{3000};
};

// What a store's URL says, as libpq reads it, with what Hubbub needs besides. The URL's own settings win, but
// for the options that each session must have.
class PostgresSettings {
 public:
  using Words = absl::btree_map<std::string, std::string>;

  // INVALID_ARGUMENT, in a sentence without the URL's password, if the URL cannot be used.
  static absl::StatusOr<PostgresSettings> Parse(const StoreOptions& options, const PostgresTimes& times);

  // For people, without a password.
  const std::string& name() const { return name_; }
  const PostgresTimes& times() const { return times_; }
  // For each host of the URL in its order, what libpq takes. They are tried one by one because libpq, used
  // without blocking, would wait for ever for a host that takes connections and says nothing.
  const std::vector<Words>& hosts() const { return hosts_; }
  // The name among them whose address must be known; empty if there is none, but an address or a socket's
  // folder. libpq would ask for it in a way that nothing can interrupt.
  static std::string NameToResolve(const Words& host);
  // What is in the password file at this moment; empty if there is none to be read. UNAVAILABLE if it cannot
  // be.
  absl::StatusOr<std::string> ReadPassword() const;

 private:
  PostgresSettings() = default;

  std::string name_;
  std::string password_file_;
  PostgresTimes times_;
  std::vector<Words> hosts_;
};

}  // namespace hubbub::chat
