#include "connector/peer_connectors.h"

#include <memory>
#include <utility>

#include "services/rpc/channel.h"

namespace hubbub::connector {

PeerConnectors::PeerConnectors(std::string self, rpc::Credentials credentials)
    : self_(std::move(self)),
      lines_({.make = [credentials = std::move(credentials)](const directory::ServerInfo& server) {
        return std::make_shared<const rpc::ConnectorPeer>(rpc::ConnectorPeer{
            server.id,
            connector::v1::ConnectorService::NewStub(rpc::MakeChannel(server.grpc_address(), credentials))});
      }}) {}

void PeerConnectors::Update(const directory::ServerList& servers) {
  std::vector<directory::ServerInfo> others = servers.connectors;
  std::erase_if(others, [this](const directory::ServerInfo& server) { return server.id == self_; });
  lines_.Update(others);
}

std::vector<rpc::ConnectorPeer> PeerConnectors::All() const {
  std::vector<rpc::ConnectorPeer> peers;
  for (const auto& line : lines_.All()) peers.push_back(*line);
  return peers;
}

}  // namespace hubbub::connector
