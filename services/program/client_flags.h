#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/metrics/metrics.h"
#include "services/net/listener.h"
#include "services/net/networks.h"
#include "services/net/origins.h"
#include "services/net/tls_context.h"
#include "services/program/flags.h"
#include "services/program/server_flags.h"
#include "services/signin/token_checker.h"
#include "spdlog/spdlog.h"

// The flags of the two servers that clients connect to, gate and connector. This header defines them: only a
// main.cc may include it.

ABSL_FLAG(int, loops, 0,
          "Event loops; 0 means half as many as cores that this process may use (affinity, the CPU limit of "
          "its container), and one at least");
ABSL_FLAG(int, max_connections, 100000,
          "Client connections at a time; further ones are told that the server is full, and closed. Fewer if "
          "the hard limit of open files, less a reserve for gRPC and files, allows fewer");
ABSL_FLAG(int, max_connections_per_address, 0,
          "Client connections at a time from one IPv4 address, or one /64 of IPv6; 0 means half of "
          "--max_connections, and 16 at least. Clients of --trusted_proxies count by their own address");
ABSL_FLAG(
    int64_t, max_waiting_bytes, int64_t{512} << 20,
    "Bytes that wait for clients whose sockets take no more, or that do not poll, all clients together; "
    "beyond, the slowest clients are closed");
ABSL_FLAG(std::vector<std::string>, subprotocols, {"pomelo"},
          "WebSocket subprotocols: a client that asks for some gets the first of its own that stands here");
ABSL_FLAG(
    std::string, signin_keys, "",
    "Who connects must sign in by a JWT that one of these keys has signed: a file, or a folder of files, "
    "NAME.pem or NAME.crt (a public key, whose kid is NAME), .json or .jwks (a JWK set), NAME.secret "
    "(for HS256); read again when they change. Empty: this server is open, and everybody may be anybody");
ABSL_FLAG(std::string, signin_audience, "",
          "With --signin_keys: the audience that a token must name in aud; empty: a token must name none");
ABSL_FLAG(std::string, signin_issuer, "",
          "With --signin_keys: the issuer that a token must name in iss; empty: any");
ABSL_FLAG(
    std::vector<std::string>, allowed_origins, {},
    "Pages of the web that may use this server beside those of its own host and of the user's own machine, "
    "such as https://chat.example.com; a server that is reached by a name with a dot needs that name's "
    "origin here. *: all, and by any name");
ABSL_FLAG(std::vector<std::string>, trusted_proxies, {},
          "Addresses and networks, such as 10.0.0.0/8, whose word is taken on who a client is: by the PROXY "
          "protocol, "
          "version 1 or 2, or by X-Forwarded-For or Forwarded");
ABSL_FLAG(
    std::string, tls_certificate, "",
    "Take TLS on the client port, so wss, https and TLS over TCP: a PEM file with this server's certificate, "
    "then those that lead to its root; read again when it changes. Empty: no TLS");
ABSL_FLAG(std::string, tls_key, "",
          "With --tls_certificate: a PEM file with the certificate's private key, without a password");
ABSL_FLAG(
    bool, allow_plain, false,
    "With --tls_certificate: take clients without TLS too, on the same port. Otherwise they are told to use "
    "it, and /healthz alone answers them");
ABSL_FLAG(bool, use_protobuf, true, "Offer clients the protobuf dialect that shortens pushes");

namespace hubbub::program {

// OK if the values of the flags above are within their bounds.
inline absl::Status CheckClientFlags() {
  absl::Status status = CheckFlag(FLAGS_loops, 0, 1'024);
  if (status.ok()) status = CheckFlag(FLAGS_max_connections, 1, 10'000'000);
  if (status.ok()) status = CheckFlag(FLAGS_max_connections_per_address, 0, 10'000'000);
  if (status.ok()) status = CheckFlag(FLAGS_max_waiting_bytes, int64_t{8} << 20, int64_t{1} << 40);
  const auto proxies = net::Networks::Parse(absl::GetFlag(FLAGS_trusted_proxies));
  if (status.ok() && !proxies.ok())
    status = absl::InvalidArgumentError("--trusted_proxies: " + std::string(proxies.status().message()));
  const auto origins = net::Origins::Parse(absl::GetFlag(FLAGS_allowed_origins));
  if (status.ok() && !origins.ok())
    status = absl::InvalidArgumentError("--allowed_origins: " + std::string(origins.status().message()));
  return status;
}

// The client port by the flags above, after CheckClientFlags. `max_connections`: as many as files allow.
inline net::ListenerOptions ClientPort(int max_connections, const net::TlsContext* tls) {
  // So that one machine leaves room for others. A server that takes few clients is not for strangers.
  constexpr int kFew = 16;
  const int per_machine = absl::GetFlag(FLAGS_max_connections_per_address);
  return {.max_connections = max_connections,
          .max_per_machine = per_machine > 0 ? per_machine : std::max(max_connections / 2, kFew),
          .max_waiting_bytes = static_cast<size_t>(absl::GetFlag(FLAGS_max_waiting_bytes)),
          .trusted_proxies = net::Networks::Parse(absl::GetFlag(FLAGS_trusted_proxies)).value(),
          .origins = net::Origins::Parse(absl::GetFlag(FLAGS_allowed_origins)).value(),
          .tls = tls,
          .allow_plain = tls == nullptr || absl::GetFlag(FLAGS_allow_plain)};
}

// What checks sign-in tokens, by the flags above; null if this server is open.
inline absl::StatusOr<std::unique_ptr<signin::TokenChecker>> OpenSignIn() {
  std::string keys = absl::GetFlag(FLAGS_signin_keys);
  if (!keys.empty()) {
    return signin::TokenChecker::Open(std::move(keys), {.audience = absl::GetFlag(FLAGS_signin_audience),
                                                        .issuer = absl::GetFlag(FLAGS_signin_issuer)});
  }
  if (absl::GetFlag(FLAGS_production)) {
    return absl::InvalidArgumentError(
        "--production needs --signin_keys: without keys everybody who reaches this server may be anybody");
  }
  return nullptr;
}

// TLS by the flags above; null if there is none.
inline absl::StatusOr<std::unique_ptr<net::TlsContext>> OpenTls() {
  net::TlsFiles files{.certificate = absl::GetFlag(FLAGS_tls_certificate),
                      .key = absl::GetFlag(FLAGS_tls_key)};
  if (files.certificate.empty() && files.key.empty()) return nullptr;
  if (files.certificate.empty())
    return absl::InvalidArgumentError(
        "--tls_key needs --tls_certificate: a PEM file with the key's certificate");
  if (files.key.empty())
    return absl::InvalidArgumentError("--tls_certificate needs --tls_key: a PEM file with its private key");
  auto tls = net::TlsContext::Open(std::move(files));
  if (!tls.ok()) return absl::InvalidArgumentError("TLS: " + std::string(tls.status().message()));
  return tls;
}
// Shows when the certificate ends, if there is one. `tls` must live until nobody scrapes any more.
inline void AddTlsMetrics(metrics::Metrics& metrics, const net::TlsContext* tls) {
  if (tls == nullptr) return;
  metrics.AddGauge("hubbub_tls_certificate_end_timestamp_seconds",
                   "When the certificate of the client port ends, in Unix time",
                   [tls] { return static_cast<double>(tls->certificate_end()); });
}

// Says in one log line if this server is open. For main, once the program serves: what is wrong with its
// flags is to be its only line.
inline void WarnIfOpen(const signin::TokenChecker* sign_in) {
  if (sign_in == nullptr)
    spdlog::warn("open: everybody who reaches this server may use any name; --signin_keys demands a sign-in");
}

}  // namespace hubbub::program
