#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/support/status.h"
#include "services/directory.h"
#include "services/discovery/dns_resolver.h"
#include "services/discovery/identity.h"
#include "services/discovery/server_book.h"
#include "services/mutex.h"

namespace hubbub {

struct DnsDirectoryOptions {
  ServerInfo self = {};
  Identity identity = {};
  std::map<ServerKind, DnsService> services = {};
  std::string dns_server = {};  // As in DnsResolver::Create.
  std::chrono::milliseconds period{1'000};
  // A start waits so long for DNS and for the servers that it shows, so that a server which comes back does
  // not take itself for the only one.
  std::chrono::milliseconds start_timeout{3'000};
};

// The directory that is DNS: the names of Kubernetes' headless Services. A thread of its own asks DNS every
// `period` for addresses; who is there, the servers themselves say (IdentityService), asked once at each new
// address and again whenever the connection to it was lost. What a ServerBook makes of that is what Poll
// takes over.
class DnsDirectory final : public Directory {
 public:
  // Waits for the first answers, at most `start_timeout`; a name that does not resolve is no error.
  // INVALID_ARGUMENT if `dns_server` can not be one.
  static absl::StatusOr<std::unique_ptr<DnsDirectory>> Open(DnsDirectoryOptions options);
  ~DnsDirectory() override;

  std::shared_ptr<const ServerList> servers() const override ABSL_LOCKS_EXCLUDED(mu_);
  void Poll() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnChange(Listener listener) override { listeners_.push_back(std::move(listener)); }

 private:
  struct Peer;

  DnsDirectory(DnsDirectoryOptions options, std::unique_ptr<DnsResolver> resolver);

  void Run();
  void Round() ABSL_LOCKS_EXCLUDED(mu_);
  void Ask(const ServerBook::Address& address, const std::shared_ptr<Peer>& peer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnIdentity(const ServerBook::Address& address, Peer& peer, const grpc::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);
  void UpdateList() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Settled() const ABSL_LOCKS_EXCLUDED(mu_);

  const DnsDirectoryOptions options_;
  const std::unique_ptr<DnsResolver> resolver_;
  std::vector<Listener> listeners_;          // Polling thread only, as the next.
  std::shared_ptr<const ServerList> taken_;  // What the listeners know.

  mutable Mutex mu_;
  ServerBook book_ ABSL_GUARDED_BY(mu_);
  std::map<ServerBook::Address, std::shared_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
  size_t asking_ ABSL_GUARDED_BY(mu_) = 0;  // Calls under way, of peers that have gone too.
  size_t rounds_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);

  std::promise<void> stop_;
  std::thread thread_;
};

}  // namespace hubbub
