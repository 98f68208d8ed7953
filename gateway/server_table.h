#pragma once

#include <functional>
#include <string>
#include <utility>

#include "hubbub/directory/v1/status.pb.h"
#include "hubbub/gate/v1/gate.pb.h"
#include "services/directory/directory.h"
#include "services/rpc/channel.h"
#include "services/rpc/server_lines.h"

namespace hubbub::gate {

// Every server of the directory, as it tells of itself: a gate's view for operators. Holds a status stream to
// each of the others; a server that cannot be reached is listed as such, and nobody waits for it. No client
// is sent anywhere by it: that is EntryTable's. Thread-safe. Owned by Gate.
class ServerTable {
 public:
  using Status = directory::v1::WatchStatusResponse;

  // `id` is this gate's, and `own` makes its status; called on any thread.
  ServerTable(std::string id, std::function<Status()> own, rpc::Credentials credentials);

  // Opens lines to servers that are new in the directory, and closes those to servers that have gone.
  void Update(const directory::ServerList& servers);

  // Sorted by kind and id.
  v1::ListServersResponse List() const;
  // The same in protobuf's JSON, every field there.
  std::string Json() const;

 private:
  class Row;
  // A server as the lines know it: servers of two kinds may have one id.
  struct Listed {
    std::pair<directory::ServerKind, std::string> id;
    directory::ServerInfo info;
    bool operator==(const Listed&) const = default;
  };

  const std::string id_;
  rpc::ServerLines<Row, Listed> rows_;
};

}  // namespace hubbub::gate
