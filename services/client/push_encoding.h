#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/client/push_body.h"
#include "services/net/frame.h"

namespace hubbub::client {

// How pushes look to clients that have agreed on the same terms of one protocol. Immutable, so thread-safe.
class PushFormat {
 public:
  virtual ~PushFormat() = default;
  // Appends a push to `out` as one package, without a frame. Appends nothing if the route's schema refuses
  // the body, and logs that: it is a mistake in the program.
  virtual void AppendPush(std::string_view route, const PushBody& body, std::string& out) const = 0;
};

// A format in one framing. The bytes of a push are the same for all sessions with the same encoding.
// Immutable, so thread-safe. Owned by PushEncodings.
class PushEncoding {
 public:
  PushEncoding(size_t index, const PushFormat& format, net::Framing framing)
      : index_(index), format_(format), framing_(framing) {}

  // From 0, without gaps, so that arrays can have one element for each encoding of a server.
  size_t index() const { return index_; }
  net::Framing framing() const { return framing_; }

  // Appends a push as it goes on the wire; nothing if its format appends nothing. Returns the package
  // without its frame, a view into `out`.
  std::string_view AppendPush(std::string_view route, const PushBody& body, std::string& out) const {
    return net::AppendFrame(framing_, out, [&](std::string& to) { format_.AppendPush(route, body, to); });
  }
  // Appends a package of the same format, as AppendPush returned it for another framing.
  void AppendPackage(std::string_view package, std::string& out) const {
    net::AppendFrame(framing_, out, [&](std::string& to) { to += package; });
  }

 private:
  const size_t index_;
  const PushFormat& format_;
  const net::Framing framing_;
};

// All encodings of a server's pushes. The protocols that the server speaks add theirs at start; constant
// after that, so thread-safe. Owned by the server's main object; outlives its sessions.
class PushEncodings {
 public:
  // The encodings of one format, one for each framing. Never empty.
  using Group = std::vector<std::unique_ptr<const PushEncoding>>;

  PushEncodings() = default;
  PushEncodings(const PushEncodings&) = delete;
  PushEncodings& operator=(const PushEncodings&) = delete;

  // Adds a format in each of these framings. Returns its encodings, in this order.
  const Group& Add(std::unique_ptr<const PushFormat> format, std::initializer_list<net::Framing> framings);

  size_t size() const { return size_; }
  const std::vector<std::unique_ptr<const Group>>& groups() const { return groups_; }

 private:
  std::vector<std::unique_ptr<const PushFormat>> formats_;
  std::vector<std::unique_ptr<const Group>> groups_;
  size_t size_ = 0;
};

}  // namespace hubbub::client
