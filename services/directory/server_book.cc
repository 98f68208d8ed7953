#include "services/directory/server_book.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/base/host_port.h"
#include "services/base/string_map.h"
#include "spdlog/spdlog.h"

namespace hubbub::directory {

ServerBook::ServerBook(ServerInfo self, Identity identity, const std::map<ServerKind, DnsService>& services)
    : self_(std::move(self)), identity_(std::move(identity)) {
  for (const auto& [kind, service] : services) names_[kind].service = service;
}

void ServerBook::Complain(Entry& entry, const std::string& what, bool is_error) {
  if (entry.said == what) return;
  entry.said = what;
  spdlog::log(is_error ? spdlog::level::err : spdlog::level::warn, "directory: {}", what);
}

void ServerBook::Resolved(ServerKind kind, const absl::StatusOr<std::vector<std::string>>& hosts,
                          int64_t now_ms) {
  Name& name = names_[kind];
  if (!hosts.ok() || hosts->empty()) {
    const std::string why = hosts.ok() ? "DNS has no address for it" : std::string(hosts.status().message());
    const bool known = std::any_of(entries_.begin(), entries_.end(),
                                   [&](const auto& entry) { return entry.first.kind == kind; });
    if (name.trouble.empty()) {
      spdlog::warn("directory: {} does not resolve: {}; {}, and DNS is asked again every second",
                   name.service.name, why,
                   known ? "the servers that are known stay while they answer" : "no server is known there");
    }
    name.trouble = why;
    return;
  }
  if (!name.trouble.empty())
    spdlog::info("directory: {} resolves now, to {} addresses", name.service.name, hosts->size());
  name.trouble.clear();
  std::erase_if(entries_, [&](const auto& entry) {
    const auto& [address, what] = entry;
    if (address.kind != kind || what.heard_ms != 0 ||
        std::find(hosts->begin(), hosts->end(), address.host) != hosts->end()) {
      return false;
    }
    gone_[address] = now_ms;
    return true;
  });
  for (const std::string& host : *hosts) {
    entries_[{kind, host}].heard_ms = 0;
    gone_.erase({kind, host});
  }
}

void ServerBook::Heard(const Address& address, int64_t now_ms) {
  const bool itself = address.kind == self_.kind && address.host == self_.host;
  if (itself || !names_.contains(address.kind) || entries_.contains(address) || gone_.contains(address))
    return;
  if (Newcomers().size() >= kMostNewcomers) return;
  entries_[address].heard_ms = now_ms;
}

void ServerBook::Forget(int64_t now_ms) {
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.heard_ms != 0 && now_ms - entry.second.heard_ms > kHeardMs;
  });
  std::erase_if(gone_, [&](const auto& gone) { return now_ms - gone.second > kHeardMs; });
}

std::vector<ServerBook::Address> ServerBook::Newcomers() const {
  std::vector<Address> newcomers;
  for (const auto& [address, entry] : entries_) {
    if (entry.heard_ms != 0) newcomers.push_back(address);
  }
  return newcomers;
}

void ServerBook::Answered(const Address& address, const Identity& identity) {
  const auto at = entries_.find(address);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (identity.kind != address.kind) {
    Complain(
        entry,
        fmt::format("{} of {} is no {} but the {} '{}'; it is passed over: mend the Service or the flags",
                    GrpcAddress(address), names_[address.kind].service.name, ToString(address.kind),
                    ToString(identity.kind), identity.id),
        /*is_error=*/true);
    entry.identity.reset();
    entry.answers = true;
    return;
  }
  if (!entry.answers || entry.identity != identity) entry.said.clear();
  if (entry.identity != identity) entry.since = ++learned_;
  entry.answers = true;
  entry.identity = identity;
  if (identity.version != identity_.version) {
    Complain(entry,
             fmt::format("{} '{}' at {} has version {}, this server has {}; finish the upgrade soon",
                         ToString(identity.kind), identity.id, GrpcAddress(address), identity.version,
                         identity_.version),
             /*is_error=*/false);
  }
}

void ServerBook::Failed(const Address& address, const absl::Status& why) {
  const auto at = entries_.find(address);
  if (at == entries_.end()) return;
  at->second.answers = false;
  if (at->second.heard_ms != 0) return;  // It may not listen yet, or have ended: DNS will say.
  if (!names_[address.kind].trouble.empty()) {
    spdlog::warn("directory: {} is forgotten: DNS does not show it any more, and it does not answer",
                 GrpcAddress(address));
    entries_.erase(at);
  } else if (!at->second.identity) {
    Complain(at->second,
             fmt::format("{} of {} does not say who it is ({}); it is asked again every second",
                         GrpcAddress(address), names_[address.kind].service.name, std::string(why.message())),
             /*is_error=*/false);
  }
}

std::vector<ServerBook::Address> ServerBook::addresses() const {
  std::vector<Address> all;
  all.reserve(entries_.size());
  for (const auto& [address, entry] : entries_) all.push_back(address);
  return all;
}

bool ServerBook::MustAsk(const Address& address) const {
  const auto at = entries_.find(address);
  return at != entries_.end() &&
         (!at->second.answers || !at->second.identity || !names_.at(address.kind).trouble.empty());
}

std::string ServerBook::GrpcAddress(const Address& address) const {
  return HostPort(address.host, names_.at(address.kind).service.port);
}

ServerList ServerBook::List() {
  std::vector<std::pair<const Address, Entry>*> claims;
  for (auto& entry : entries_) {
    if (entry.second.identity && entry.second.identity->instance != identity_.instance)
      claims.push_back(&entry);
  }
  // Those that answer come first, and among them those that were first.
  std::sort(claims.begin(), claims.end(), [](const auto* a, const auto* b) {
    return std::pair(!a->second.answers, a->second.since) < std::pair(!b->second.answers, b->second.since);
  });
  struct Owner {
    std::string address;
    std::string instance;
  };
  StringMap<Owner> owners;
  owners.emplace(self_.id, Owner{self_.grpc_address() + ", which is this server", identity_.instance});
  ServerList list;
  const auto put = [&list](ServerInfo info) {
    auto& servers = info.kind == ServerKind::kGate        ? list.gates
                    : info.kind == ServerKind::kConnector ? list.connectors
                                                          : list.chats;
    servers.push_back(std::move(info));
  };
  put(self_);
  for (auto* claim : claims) {
    const auto& [address, entry] = *claim;
    const Identity& who = *entry.identity;
    const auto [owner, free] = owners.emplace(who.id, Owner{GrpcAddress(address), who.instance});
    if (!free) {
      // One server under two addresses is no trouble.
      if (owner->second.instance != who.instance && entry.answers) {
        Complain(
            claim->second,
            fmt::format("{} and {} both say that they are '{}'; the first stays: give each server an --id "
                        "of its own",
                        owner->second.address, GrpcAddress(address), who.id),
            /*is_error=*/true);
      }
      continue;
    }
    put({.kind = who.kind,
         .id = who.id,
         .host = address.host,
         .port = names_.at(address.kind).service.port,
         .client_host = who.client_host.empty() ? address.host : who.client_host,
         .client_port = who.client_port});
  }
  for (auto* servers : {&list.gates, &list.connectors, &list.chats}) {
    std::sort(servers->begin(), servers->end(),
              [](const ServerInfo& a, const ServerInfo& b) { return a.id < b.id; });
  }
  return list;
}

}  // namespace hubbub::directory
