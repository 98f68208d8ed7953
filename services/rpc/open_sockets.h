#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace hubbub::rpc {

// Counts sockets that were given away, to somebody who closes them without a word: gRPC. A socket is still
// open while its descriptor has the inode that it had. Not thread-safe.
class OpenSockets {
 public:
  // A socket that is open now, and whose it is. One of the same number that was added before has been closed
  // since.
  void Add(int fd, std::string peer) {
    sockets_.insert_or_assign(fd, Socket{.inode = Inode(fd), .peer = std::move(peer)});
  }

  // True if fewer than `most` are open. Looks at each only if that many were added.
  bool FewerThan(size_t most) {
    if (sockets_.size() < most) return true;
    ForgetClosed();
    return sockets_.size() < most;
  }
  // The same for those of one peer.
  bool FewerThan(size_t most, const std::string& peer) {
    if (sockets_.size() < most || CountOf(peer) < most) return true;
    ForgetClosed();
    return CountOf(peer) < most;
  }

 private:
  struct Socket {
    ino_t inode;
    std::string peer;
  };

  size_t CountOf(const std::string& peer) const {
    return static_cast<size_t>(std::count_if(
        sockets_.begin(), sockets_.end(), [&peer](const auto& entry) { return entry.second.peer == peer; }));
  }
  void ForgetClosed() {
    absl::erase_if(sockets_, [](const auto& entry) { return Inode(entry.first) != entry.second.inode; });
  }
  // 0 for none: no socket has that.
  static ino_t Inode(int fd) {
    struct stat file = {};
    return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
  }

  absl::flat_hash_map<int, Socket> sockets_;
};

}  // namespace hubbub::rpc
