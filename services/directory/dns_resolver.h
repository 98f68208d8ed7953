#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::directory {

// Asks DNS for addresses. Keeps nothing between calls, so that each answer is as fresh as the DNS server's.
class DnsResolver {
 public:
  using Hosts = std::vector<std::string>;

  // `server`: the DNS server to ask, an address or address:port; empty for the system's (resolv.conf).
  // INVALID_ARGUMENT if it is neither.
  static absl::StatusOr<std::unique_ptr<DnsResolver>> Create(std::string server);
  ~DnsResolver();

  // The addresses of each name, sorted: IPv4 if it has any, otherwise IPv6, for which it
  // is asked only then. All names are asked for at once.
  // NOT_FOUND if the name has no address, UNAVAILABLE if nobody could say. Blocks until all is answered, at
  // most a few seconds. One call at a time.
  std::vector<absl::StatusOr<Hosts>> Resolve(const std::vector<std::string>& names);

  // Ends a Resolve that waits, and all that come: CANCELLED. From any thread.
  void Cancel();

 private:
  DnsResolver(std::string server, int wake) : server_(std::move(server)), wake_(wake) {}

  const std::string server_;
  const int wake_;  // An eventfd that can be read once it is cancelled.
};

}  // namespace hubbub::directory
