#include "connector/peer_connectors.h"

#include <utility>

#include "services/rpc/channel.h"

namespace hubbub::connector {

void PeerConnectors::Update(const ServerList& servers) {
  MutexLock lock(mu_);
  StringMap<Line> lines;
  for (const ServerInfo& server : servers.connectors) {
    if (server.id == self_) continue;
    const std::string address = server.grpc_address();
    const auto known = lines_.find(server.id);
    if (known != lines_.end() && known->second.address == address) {
      lines.emplace(server.id, known->second);
    } else {
      lines.emplace(
          server.id,
          Line{address, {server.id, connector::v1::ConnectorService::NewStub(rpc::MakeChannel(address))}});
    }
  }
  lines_.swap(lines);
}

std::vector<rpc::ConnectorPeer> PeerConnectors::All() const {
  MutexLock lock(mu_);
  std::vector<rpc::ConnectorPeer> peers;
  peers.reserve(lines_.size());
  for (const auto& [id, line] : lines_) peers.push_back(line.peer);
  return peers;
}

}  // namespace hubbub::connector
