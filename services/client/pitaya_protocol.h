#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "services/client/client_protocol.h"
#include "services/client/contract.h"
#include "services/client/pomelo_packages.h"
#include "services/client/push_encoding.h"
#include "services/net/frame.h"
#include "services/pomelo/package.h"
#include "services/pomelo/pitaya.h"

namespace hubbub::client {

// What all of a server's sessions that speak Pitaya's dialect share. Immutable, so thread-safe. Owned by the
// server's main object; `contract` and `encodings` outlive it.
class PitayaTerms {
 public:
  // Adds the encodings of its pushes to `encodings`. `heartbeat`: nothing means Pitaya's own default of 30 s,
  // for its clients cannot do without. `max_body_bytes`: the largest body of a package, and of a request
  // once it is inflated.
  PitayaTerms(const ClientContract& contract, PushEncodings& encodings,
              std::optional<std::chrono::seconds> heartbeat, size_t max_body_bytes);

  const ClientContract& contract() const { return contract_; }
  const pomelo::PitayaHandshake& handshake() const { return handshake_; }
  std::chrono::seconds heartbeat() const { return heartbeat_; }
  size_t max_body_bytes() const { return max_body_bytes_; }
  const PushEncoding& PushesIn(net::Framing framing) const {
    return framing == net::Framing::kNone ? *pushes_[0] : *pushes_[1];
  }

 private:
  const ClientContract& contract_;
  const std::chrono::seconds heartbeat_;
  const size_t max_body_bytes_;
  const pomelo::PitayaHandshake handshake_;
  const PushEncodings::Group& pushes_;
};

// Pitaya's dialect of Pomelo's protocol (services/pomelo/pitaya.h), from the handshake on: PomeloProtocol
// reads that, and hands a client of Pitaya's over. As Pitaya's server does, it answers each handshake again,
// needs no echo of its heartbeats, ignores a kick, and closes at data that comes before the ack, and at a
// frame with more than one package; its own kick has no reason. An ack before the first handshake is ignored,
// as Pomelo does, because the dialect is not known yet. Not thread-safe. Owned by its session; `terms`
// outlive it.
class PitayaProtocol final : public ClientProtocol {
 public:
  PitayaProtocol(const PitayaTerms& terms, net::Framing framing) : terms_(terms), packages_(framing) {}

  Taken Take(std::string_view bytes, bool frame_end, std::string& out) override;
  absl::StatusOr<boost::json::object> ReadBody(const Request& request) const override;
  Inflated Inflate(const Request& request, size_t most) const override;
  void AppendAccept(std::string& out) override;
  void AppendRefusal(std::string& out) const override;
  void AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) override;
  void AppendError(std::string_view id, int code, std::string_view message, std::string& out) override;
  void AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const override;
  void AppendHeartbeat(std::string& out) const override;
  ProtocolKind kind() const override { return ProtocolKind::kPitaya; }
  const PushEncoding& push_encoding() const override { return terms_.PushesIn(packages_.framing()); }
  std::optional<Heartbeat> heartbeat() const override {
    return Heartbeat{.interval = terms_.heartbeat(), .unasked = true};
  }
  size_t max_package_bytes() const override { return pomelo::kPackageHead + terms_.max_body_bytes(); }

 private:
  using Value = decltype(Taken::value);

  Value OnPackage(const pomelo::Package& package, std::string& out);
  Value OnData(std::string_view bytes, std::string& out) const;
  absl::StatusOr<std::string_view> FullRoute(std::string_view route) const;
  Fault Break(std::string why, std::string& out) const;

  const PitayaTerms& terms_;
  const PomeloPackages packages_;
  bool acknowledged_ = false;  // The newest handshake is.
  bool ready_ = false;         // Ready has been said: a further ack is no news.
};

}  // namespace hubbub::client
