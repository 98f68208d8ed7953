#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::net {

// Which pages of the web may use a server. A browser says whose page sends a request (Origin; RFC 6454), and
// by which name it reached the server (Host). Clients that are no browsers send no Origin and are not asked
// for one. Immutable, so thread-safe.
//
// By default the pages of the server's own host may, whatever their port, and those of the user's own machine
// (localhost), where apps live that are made of web pages. That a page is of the same host means nothing if
// the name is one that a stranger may have pointed here (DNS rebinding). So a server knows itself only by
// addresses, by names without a dot, and by the hosts of the origins that it was given.
class Origins {
 public:
  // The default.
  Origins() = default;
  // Also these: each as a browser writes it, "https://chat.example.com" or "http://10.0.0.1:8080", or "*" for
  // all. INVALID_ARGUMENT names one that is wrong.
  static absl::StatusOr<Origins> Parse(const std::vector<std::string>& origins);

  // True if a page of `origin` may use this server, which it calls `host` (the field Host).
  bool Allow(std::string_view origin, std::string_view host) const;
  // True if `host` is a name for this server; a name that a stranger may have pointed here is not.
  bool KnowsHost(std::string_view host) const;

 private:
  bool all_ = false;
  std::vector<std::string> origins_;  // In lower case, without a default port.
  std::vector<std::string> hosts_;    // Of these.
};

}  // namespace hubbub::net
