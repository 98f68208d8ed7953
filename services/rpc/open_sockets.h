#pragma once

#include <sys/stat.h>

#include <cstddef>

#include "absl/container/flat_hash_map.h"

namespace hubbub::rpc {

// Counts sockets that were given away, to somebody who closes them without a word: gRPC. A socket is still
// open while its descriptor has the inode that it had. Not thread-safe.
class OpenSockets {
 public:
  // A socket that is open now. One of the same number that was added before has been closed since.
  void Add(int fd) { inodes_.insert_or_assign(fd, Inode(fd)); }

  // True if fewer than `most` are open. Looks at each only if that many were added.
  bool FewerThan(size_t most) {
    if (inodes_.size() < most) return true;
    absl::erase_if(inodes_, [](const auto& entry) { return Inode(entry.first) != entry.second; });
    return inodes_.size() < most;
  }

 private:
  // 0 for none: no socket has that.
  static ino_t Inode(int fd) {
    struct stat file = {};
    return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
  }

  absl::flat_hash_map<int, ino_t> inodes_;
};

}  // namespace hubbub::rpc
