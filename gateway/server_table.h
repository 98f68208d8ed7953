#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "hubbub/directory/v1/status.pb.h"
#include "hubbub/gate/v1/gate.pb.h"
#include "services/directory.h"
#include "services/mutex.h"

namespace hubbub::gateway {

// Every server of the directory, as it tells of itself: a gate's view for operators. Holds a status stream to
// each of the others; a server that can not be reached is listed as such, and nobody waits for it. No client
// is sent anywhere by it: that is EntryTable's. Thread-safe. Owned by Gate.
class ServerTable {
 public:
  using Status = directory::v1::WatchStatusResponse;

  // `id` is this gate's, and `own` makes its status; called on any thread.
  ServerTable(std::string id, std::function<Status()> own);
  ~ServerTable();

  // Opens lines to servers that are new in the directory, and closes those to servers that have gone. One
  // call at a time.
  void Update(const ServerList& servers) ABSL_LOCKS_EXCLUDED(mu_);

  // Sorted by kind and id.
  gate::v1::ListServersResponse List() const ABSL_LOCKS_EXCLUDED(mu_);
  // The same in protobuf's JSON, every field there.
  std::string Json() const;

 private:
  class Watch;
  using Key = std::pair<ServerKind, std::string>;
  struct Entry {
    ServerInfo info;
    std::shared_ptr<Watch> watch = nullptr;  // None to this gate itself.
  };

  const std::string id_;
  const std::function<Status()> own_;
  mutable Mutex mu_;
  std::map<Key, Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gateway
