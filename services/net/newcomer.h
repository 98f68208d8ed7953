#pragma once

#include <memory>

#include "boost/beast/core/flat_buffer.hpp"
#include "services/net/arrival.h"

namespace hubbub::net {

// Tells by the first byte of a client what it speaks, and passes it on: a Pomelo package starts with 1 to 5,
// an HTTP request with a capital letter, or with an empty line. Before that, a proxy that is trusted may say
// who the client is (proxy_header.h). The first byte of TLS begins a handshake, and what comes through TLS is
// looked at in the same way. Loop-only. Owned by its read.
class Newcomer : public std::enable_shared_from_this<Newcomer> {
 public:
  explicit Newcomer(std::shared_ptr<Arrival> arrival);

  void Start();

 private:
  void OnLate();
  void Read();
  // Takes the header of a proxy off the bytes; true if they can be looked at.
  bool TakeProxyHeader();
  void Sniff();
  void ShakeHands();
  void OnHandshake(boost::system::error_code error);
  const ListenerOptions& options() const { return arrival_->setup().options; }

  const std::shared_ptr<Arrival> arrival_;
  beast::flat_buffer buffer_;
  bool late_ = false;  // A guest has said nothing in time.
  bool has_proxy_header_ = false;
};

}  // namespace hubbub::net
