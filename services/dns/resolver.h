#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::dns {

// Asks DNS for addresses. Keeps nothing between calls, so that each answer is as fresh as the DNS server's.
class Resolver {
 public:
  using Hosts = std::vector<std::string>;

  // Which addresses of a name are wanted.
  enum class Families {
    kOne,   // IPv4 if it has any, otherwise IPv6, for which it is asked only then. Sorted by their texts.
    kBoth,  // In the order in which a client should try them (RFC 6724).
  };

  // `server`: the DNS server to ask, an address or address:port; empty for the system's (resolv.conf).
  // INVALID_ARGUMENT if it is neither.
  static absl::StatusOr<std::unique_ptr<Resolver>> Create(std::string server,
                                                          Families families = Families::kOne);
  ~Resolver();

  // The addresses of each name. All names are asked for at once. An address is its own answer, as it was
  // given. NOT_FOUND if the name has no address, UNAVAILABLE if nobody could say. Blocks until all is
  // answered, at most a few seconds. One call at a time.
  std::vector<absl::StatusOr<Hosts>> Resolve(const std::vector<std::string>& names);

  // Ends a Resolve that waits, and all that come: CANCELLED. From any thread.
  void Cancel();

 private:
  Resolver(std::string server, Families families, int wake)
      : server_(std::move(server)), families_(families), wake_(wake) {}

  const std::string server_;
  const Families families_;
  const int wake_;  // An eventfd that can be read once it is cancelled.
};

}  // namespace hubbub::dns
