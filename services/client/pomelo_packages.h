#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/client/client_protocol.h"
#include "services/client/contract.h"
#include "services/net/frame.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"

namespace hubbub::client {

// What Pomelo's protocol and Pitaya's dialect of it have in common: packages are cut out of the client's
// bytes, requests are read from data packages, and what the client is sent goes in packages, each in a frame
// of its own where the connection has frames. Immutable, so thread-safe. A part of its protocol.
class PomeloPackages {
 public:
  explicit PomeloPackages(net::Framing framing) : framing_(framing) {}

  net::Framing framing() const { return framing_; }

  // The package at the front of `bytes`, with a body of at most `max_body` bytes; nothing if it is not whole
  // yet. `frame_end`: see ClientProtocol::Take. INVALID_ARGUMENT says how the client broke the protocol.
  static absl::StatusOr<std::optional<pomelo::PackageAt>> Take(std::string_view bytes, bool frame_end,
                                                               size_t max_body);

  // The request or notify that a data package holds, a view into its body. INVALID_ARGUMENT says how the
  // client broke the protocol.
  static absl::StatusOr<Request> ReadRequest(const ClientContract& contract, std::string_view package_body);

  // What ReadBody returns for a body that is wrong: names the request's route. REQUIRES: request.route.ok().
  static absl::Status BodyError(const Request& request, std::string_view what_is_wrong);

  // Appends a package.
  void Append(pomelo::PackageType type, std::string_view body, std::string& out) const;

  // Appends a data package with what `append(message_id, out)` appends: the answer to the request with this
  // Request::id.
  template <typename AppendMessage>
  void AppendAnswer(std::string_view id, std::string& out, AppendMessage append) const {
    const auto message_id = pomelo::MessageId::Take(id);
    net::AppendFrame(framing_, out, [&](std::string& to) {
      const size_t start = pomelo::BeginPackage(pomelo::PackageType::kData, to);
      append(message_id.value(), to);
      pomelo::EndPackage(start, to);
    });
  }

 private:
  const net::Framing framing_;
};

}  // namespace hubbub::client
