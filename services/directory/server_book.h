#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/directory/directory.h"
#include "services/directory/identity.h"

namespace hubbub::directory {

// A name in DNS that has the address of every server of one kind, and the gRPC port of them all.
struct DnsService {
  std::string name = {};
  uint16_t port = 0;
};

// What DNS says of addresses and the servers say of themselves, made into one ServerList. Logs what an
// operator should know, each thing once. Free of sockets and clocks; not thread-safe.
class ServerBook {
 public:
  using Address = directory::Address;
  // For so long a server counts that says that it is there and that DNS does not show: answers of DNS may be
  // this old.
  static constexpr int64_t kHeardMs = 60'000;
  static constexpr size_t kMostNewcomers = 256;

  // `self` is in every list, whatever DNS says. A kind without a service has no others.
  ServerBook(ServerInfo self, Identity identity, const std::map<ServerKind, DnsService>& services);

  // What DNS said of a kind's name. With addresses: these, newcomers, and no others. Without: those that are
  // known stay while they answer. Times are SteadyNowMs.
  void Resolved(ServerKind kind, const absl::StatusOr<std::vector<std::string>>& hosts, int64_t now_ms);
  // The server with this identity answered at the address. Ignored if DNS no longer shows the address.
  void Answered(const Address& address, const Identity& identity);
  // Nobody answered at the address. A server at an address that DNS shows stays in the list: other parts find
  // out whether it works.
  void Failed(const Address& address, const absl::Status& why);

  // A server said that it, or another one, is at this address. It is asked who it is until DNS shows it or
  // kHeardMs are over. Of an address that DNS showed lately and shows no more, DNS is believed.
  void Heard(const Address& address, int64_t now_ms);
  // Forgets those of whom that is over.
  void Forget(int64_t now_ms);
  // Those that were heard of and that DNS does not show yet.
  std::vector<Address> Newcomers() const;

  // Every address that matters.
  std::vector<Address> addresses() const;
  // True if there is something that only asking there can tell.
  bool MustAsk(const Address& address) const;
  // host:port.
  std::string GrpcAddress(const Address& address) const;

  // The servers now, each kind sorted by id. Where two addresses claim one id, the first one that answered
  // has it for as long as it answers.
  ServerList List();

 private:
  struct Entry {
    std::optional<Identity> identity;
    uint64_t since = 0;  // Rises with each identity that is learned.
    bool answers = false;
    int64_t heard_ms = 0;  // Since when it is a newcomer; 0: DNS shows it.
    std::string said;      // The last complaint about it, so that it is made once.
  };
  struct Name {
    DnsService service;
    std::string trouble;  // What the last answer of DNS lacked; empty if nothing.
  };

  void Complain(Entry& entry, const std::string& what, bool is_error);

  const ServerInfo self_;
  const Identity identity_;
  std::map<ServerKind, Name> names_;
  std::map<Address, Entry> entries_;
  std::map<Address, int64_t> gone_;  // From DNS, and when.
  uint64_t learned_ = 0;
};

}  // namespace hubbub::directory
