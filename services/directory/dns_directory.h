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
#include "services/base/mutex.h"
#include "services/directory/directory.h"
#include "services/directory/identity.h"
#include "services/directory/server_book.h"
#include "services/dns/resolver.h"
#include "services/rpc/channel.h"

namespace hubbub::directory {

struct DnsDirectoryOptions {
  ServerInfo self = {};
  Identity identity = {};
  std::map<ServerKind, DnsService> services = {};
  std::string dns_server = {};  // As in dns::Resolver::Create.
  rpc::Credentials credentials = nullptr;
  std::chrono::milliseconds period{1'000};
  // The longest time that a start waits for DNS and for the servers that DNS shows, so that a server that
  // comes back does not take itself for the only one.
  std::chrono::milliseconds start_timeout{3'000};
};

// The directory that is DNS: the names of Kubernetes' headless Services. A thread of its own asks DNS every
// `period` for addresses. Each new address is asked once, over IdentityService, which server it is, and again
// after each loss of the connection to it. A newcomer says where it is itself to those whom it asks, and
// these say so to others: so all know it before DNS shows it, whose answers may be kept for a while. What a
// ServerBook makes of that is what Poll takes over.
class DnsDirectory final : public Directory {
 public:
  // Waits for the first answers, at most `start_timeout`; a name that does not resolve is no error.
  // INVALID_ARGUMENT if `dns_server` cannot be one.
  static absl::StatusOr<std::unique_ptr<DnsDirectory>> Open(DnsDirectoryOptions options);
  ~DnsDirectory() override;

  std::shared_ptr<const ServerList> servers() const override ABSL_LOCKS_EXCLUDED(mu_);
  void Poll() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnChange(Listener listener) override { listeners_.push_back(std::move(listener)); }
  void Heard(const Address& address) override ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<Address> Newcomers() const override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Peer;

  DnsDirectory(DnsDirectoryOptions options, std::unique_ptr<dns::Resolver> resolver);

  void Run();
  void Round() ABSL_LOCKS_EXCLUDED(mu_);
  void Ask(const ServerBook::Address& address, const std::shared_ptr<Peer>& peer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnIdentity(const ServerBook::Address& address, Peer& peer, const grpc::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);
  void UpdateList() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Settled() const ABSL_LOCKS_EXCLUDED(mu_);

  const DnsDirectoryOptions options_;
  const std::unique_ptr<dns::Resolver> resolver_;
  const int64_t began_ms_;
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

}  // namespace hubbub::directory
