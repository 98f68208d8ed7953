#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace hubbub::net {

// The HTTP connections of a listener that are kept open between requests, by the machine that has them: no
// machine has more than its part, and who has most loses one when there are too many in all. So one that has
// many keeps nobody else from having some. Not thread-safe. A part of Seats.
class KeptConnections {
 public:
  using Machine = uint64_t;

  // One of them, until it is removed or has to go, of which it is told by `lost`, which may be null.
  class Kept {
   public:
    Kept(Machine machine, std::function<void()> lost) : machine_(machine), lost_(std::move(lost)) {}

   private:
    friend class KeptConnections;
    const Machine machine_;
    std::function<void()> lost_;
    // Where it is in its machine's list, while it counts.
    mutable std::list<Kept*>::iterator at_;
    mutable bool counts_ = true;
  };

  KeptConnections(int most, int most_of_one)
      : most_(static_cast<size_t>(most)), most_of_one_(static_cast<size_t>(most_of_one)) {}

  struct Added {
    std::shared_ptr<Kept> kept;  // Null: nobody has more than this machine, and it has none itself.
    // Another one had to go for it, which does not count any more, and is told by this.
    bool one_is_lost = false;
    std::function<void()> tell = nullptr;
  };
  // One more.
  Added Add(Machine machine, std::function<void()> lost);
  // Makes it the newest of its machine; false if it does not count any more.
  bool Renew(const Kept& kept);
  // False, and nothing else, if it does not count any more.
  bool Remove(const Kept& kept);

  int size() const { return static_cast<int>(size_); }

 private:
  using List = std::list<Kept*>;  // The oldest first. Never empty.

  const size_t most_;
  const size_t most_of_one_;
  absl::flat_hash_map<Machine, List> machines_;
  size_t size_ = 0;
};

}  // namespace hubbub::net
