#include "services/directory/dns_directory.h"

#include <pthread.h>

#include <utility>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "services/base/clock.h"
#include "services/base/wait.h"
#include "services/rpc/channel.h"
#include "services/rpc/grpc_status.h"
#include "spdlog/spdlog.h"

namespace hubbub::directory {
namespace {

// Less than a round, so that one question is over before the next.
constexpr std::chrono::milliseconds kAskDeadline{900};

}  // namespace

// One address, and the question to it that is under way. All is the directory's, under its lock, except what
// gRPC writes during a call.
struct DnsDirectory::Peer {
  Peer(const std::string& address, const rpc::Credentials& credentials)
      : channel(rpc::MakeChannel(address, credentials)),
        stub(directory::v1::IdentityService::NewStub(channel)) {}

  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<directory::v1::IdentityService::Stub> stub;
  std::unique_ptr<grpc::ClientContext> context;  // Null if nothing is asked now.
  directory::v1::GetIdentityRequest request;
  directory::v1::GetIdentityResponse response;
};

absl::StatusOr<std::unique_ptr<DnsDirectory>> DnsDirectory::Open(DnsDirectoryOptions options) {
  auto resolver = dns::Resolver::Create(options.dns_server);
  if (!resolver.ok()) return resolver.status();
  auto directory = std::unique_ptr<DnsDirectory>(new DnsDirectory(std::move(options), *std::move(resolver)));
  DnsDirectory& self = *directory;
  WaitUntil([&self] { return self.Settled(); }, self.options_.start_timeout);
  self.taken_ = self.servers();
  return directory;
}

DnsDirectory::DnsDirectory(DnsDirectoryOptions options, std::unique_ptr<dns::Resolver> resolver)
    : options_(std::move(options)),
      resolver_(std::move(resolver)),
      began_ms_(SteadyNowMs()),
      book_(options_.self, options_.identity, options_.services),
      servers_(std::make_shared<const ServerList>(book_.List())),
      thread_([this] { Run(); }) {}

DnsDirectory::~DnsDirectory() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    for (const auto& [address, peer] : peers_) {
      if (peer->context != nullptr) peer->context->TryCancel();
    }
  }
  stop_.set_value();
  resolver_->Cancel();
  thread_.join();
  const auto quiet = [this] {
    MutexLock lock(mu_);
    return asking_ == 0;
  };
  while (!WaitUntil(quiet, std::chrono::seconds(1))) {
  }
}

std::shared_ptr<const ServerList> DnsDirectory::servers() const {
  MutexLock lock(mu_);
  return servers_;
}

void DnsDirectory::Heard(const Address& address) {
  MutexLock lock(mu_);
  book_.Heard(address, SteadyNowMs());
}

std::vector<Address> DnsDirectory::Newcomers() const {
  MutexLock lock(mu_);
  return book_.Newcomers();
}

void DnsDirectory::Poll() {
  const auto servers = this->servers();
  if (servers == taken_) return;
  taken_ = servers;
  spdlog::info("the directory has changed: {} gates, {} connectors, {} chat servers", servers->gates.size(),
               servers->connectors.size(), servers->chats.size());
  for (const Listener& listener : listeners_) listener(servers);
}

bool DnsDirectory::Settled() const {
  MutexLock lock(mu_);
  return rounds_ > 0 && asking_ == 0;
}

void DnsDirectory::Run() {
  pthread_setname_np(pthread_self(), "directory");
  const auto stop = stop_.get_future();
  do {
    Round();
  } while (stop.wait_for(options_.period) != std::future_status::ready);
}

void DnsDirectory::Round() {
  std::vector<std::string> names;
  for (const auto& [kind, service] : options_.services) names.push_back(service.name);
  const auto answers = resolver_->Resolve(names);

  MutexLock lock(mu_);
  if (stopping_) return;
  const int64_t now_ms = SteadyNowMs();
  book_.Forget(now_ms);
  auto answer = answers.begin();
  for (const auto& [kind, service] : options_.services) book_.Resolved(kind, *answer++, now_ms);
  const auto addresses = book_.addresses();
  std::map<ServerBook::Address, std::shared_ptr<Peer>> peers;
  for (const ServerBook::Address& address : addresses) {
    const auto known = peers_.find(address);
    const auto peer = known != peers_.end()
                          ? known->second
                          : std::make_shared<Peer>(book_.GrpcAddress(address), options_.credentials);
    peers.emplace(address, peer);
    if (peer->context != nullptr) continue;
    // A connection that was lost may lead to another server by now.
    const bool connected = peer->channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
    if (!connected || book_.MustAsk(address)) Ask(address, peer);
  }
  peers_.swap(peers);
  ++rounds_;
  UpdateList();
}

void DnsDirectory::UpdateList() {
  ServerList list = book_.List();
  if (list != *servers_) servers_ = std::make_shared<const ServerList>(std::move(list));
}

void DnsDirectory::Ask(const ServerBook::Address& address, const std::shared_ptr<Peer>& peer) {
  ++asking_;
  peer->context = std::make_unique<grpc::ClientContext>();
  if (SteadyNowMs() - began_ms_ <= ServerBook::kHeardMs) {
    *peer->request.mutable_asker() = ToProto(Address{options_.self.kind, options_.self.host});
  } else {
    peer->request.clear_asker();  // DNS shows it by now, or is not to.
  }
  peer->context->set_deadline(std::chrono::system_clock::now() + kAskDeadline);
  peer->stub->async()->GetIdentity(
      peer->context.get(), &peer->request, &peer->response,
      [this, address, peer](const grpc::Status& status) { OnIdentity(address, *peer, status); });
}

void DnsDirectory::OnIdentity(const ServerBook::Address& address, Peer& peer, const grpc::Status& status) {
  MutexLock lock(mu_);
  peer.context.reset();
  --asking_;
  const auto known = peers_.find(address);
  if (stopping_ || known == peers_.end() || known->second.get() != &peer) return;
  absl::StatusOr<Identity> identity =
      status.ok() ? FromProto(peer.response) : absl::StatusOr<Identity>(rpc::FromGrpc(status));
  if (status.ok()) {
    for (const directory::v1::ServerAddress& newcomer : peer.response.newcomers()) {
      if (const auto heard = FromProto(newcomer); heard.ok()) book_.Heard(*heard, SteadyNowMs());
    }
  }
  if (identity.ok()) {
    book_.Answered(address, *identity);
  } else {
    book_.Failed(address, identity.status());
  }
  UpdateList();
}

}  // namespace hubbub::directory
