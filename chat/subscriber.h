#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "chat/event.h"

namespace hubbub::chat {

// What a room needs of a connector: somewhere to put its events. One Subscriber is one lease of one
// connector. Thread-safe.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  // Constant; never 0.
  virtual uint64_t lease() const = 0;
  virtual const std::string& connector() const = 0;

  // True once the lease has ended; it never becomes false again. Whoever ends a lease sets this first and
  // calls RoomTable::DropSubscriber afterwards, so that no Add can slip in behind the drop.
  virtual bool ended() const = 0;

  // How long nobody has been listening, because the connector's stream broke; nothing while somebody does.
  // Called with the room's lock held.
  virtual std::optional<std::chrono::milliseconds> unheard_for() const { return std::nullopt; }

  // Called with the room's lock held, for that is what gives all connectors the same order. Must not block
  // and must not call back into rooms. A no-op after the end of the lease.
  virtual void Push(EventPtr event) = 0;
};

using SubscriberPtr = std::shared_ptr<Subscriber>;

}  // namespace hubbub::chat
