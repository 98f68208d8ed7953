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
  struct Address {
    ServerKind kind;
    std::string host;
    auto operator<=>(const Address&) const = default;
  };

  // `self` is in every list, whatever DNS says. A kind without a service has no others.
  ServerBook(ServerInfo self, Identity identity, const std::map<ServerKind, DnsService>& services);

  // What DNS said of a kind's name. With addresses: these and no others. Without: those that are known stay
  // while they answer.
  void Resolved(ServerKind kind, const absl::StatusOr<std::vector<std::string>>& hosts);
  // The server with this identity answered at the address. Ignored if DNS no longer shows the address.
  void Answered(const Address& address, const Identity& identity);
  // Nobody answered at the address. A server at an address that DNS shows stays in the list: other parts find
  // out whether it works.
  void Failed(const Address& address, const absl::Status& why);

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
    std::string said;  // The last complaint about it, so that it is made once.
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
  uint64_t learned_ = 0;
};

}  // namespace hubbub::directory
