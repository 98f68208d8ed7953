#pragma once

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/program/flags.h"
#include "services/program/server_main.h"

// The flags that all three servers have. This header defines them: only a main.cc may include it.

ABSL_FLAG(std::string, listen, "",
          "The address to listen on; empty means this server's host in --config, and every address with "
          "--directory=dns. 0.0.0.0 and :: both mean every address, of IPv4 and of IPv6");
ABSL_FLAG(std::string, grpc_listen, "", "The address to listen on for gRPC; empty means --listen");
ABSL_FLAG(std::string, metrics_listen, "",
          "The address to listen on for --metrics_port; empty means --listen");
ABSL_FLAG(uint16_t, metrics_port, 0,
          "Port of the metrics for Prometheus, at http://HOST:PORT/metrics; 0 shows none");

ABSL_FLAG(
    bool, production, false,
    "Refuse to start open: without --grpc_certificate or --grpc_plaintext, and gates and connectors without "
    "--signin_keys");
ABSL_FLAG(std::string, grpc_certificate, "",
          "PEM file: this server's certificate, which it shows to servers that call it or that it calls by "
          "gRPC, and by "
          "which they know its role: a URI hubbub://ROLE/ID. Read again when it changes, as the next two. "
          "Empty: gRPC "
          "is plain, and everybody who reaches its port may do everything");
ABSL_FLAG(std::string, grpc_key, "", "PEM file: the private key of --grpc_certificate");
ABSL_FLAG(std::string, grpc_ca, "",
          "PEM file: the certificates of the authorities whose certificates others must show");
ABSL_FLAG(
    std::string, grpc_tokens, "",
    "With --grpc_certificate: a file of the tokens by which back ends may call without a certificate, one a "
    "line: NAME SCOPES TOKEN, where SCOPES are of publish, read and admin, with commas between them; read "
    "again "
    "when it changes");
ABSL_FLAG(bool, grpc_plaintext, false,
          "Run gRPC without certificates on purpose, because something else keeps strangers from its port, "
          "such as a "
          "service mesh");

ABSL_FLAG(std::string, log_level, "info",
          "trace, debug, info, warn or error. While the program runs, the signal SIGUSR1 raises it by one "
          "step and SIGUSR2 lowers it");
ABSL_FLAG(std::string, log_format, "text", "text, or json: one object a line");

ABSL_FLAG(
    bool, sched_batch, true,
    "Run this program's threads as a batch (SCHED_BATCH): a thread that wakes up does not take the core "
    "from one that works. Messages to many then cost half of the CPU");
ABSL_FLAG(bool, park_grpc_threads, true,
          "Let gRPC run callbacks on half as many threads as the process has cores, instead of half of the "
          "machine's. On 2 cores a message then costs about a quarter less");

ABSL_FLAG(bool, reflection, false, "Let grpcurl and other tools list the calls of this server");
ABSL_FLAG(absl::Duration, max_connection_age, absl::ZeroDuration(),
          "Age at which a gRPC connection to this server ends, give or take a tenth, so that back ends "
          "behind a layer-4 load balancer reach new servers too; 0 means never");
ABSL_FLAG(absl::Duration, max_connection_age_grace, absl::Minutes(10),
          "Time that calls under way have after --max_connection_age before they are cancelled. Cancelling "
          "breaks the other servers' streams to this one: events are resumed where they were, sends with an "
          "id are repeated, and sends without one are answered with 503. A long grace makes that rare");

ABSL_FLAG(std::string, directory, "file",
          "How the servers find each other: file (--config), or dns (the --*_service flags)");
ABSL_FLAG(std::string, config, "deploy/servers.json",
          "With --directory=file: a file in the shape of Pomelo's servers.json, read again when it changes");
ABSL_FLAG(std::string, env, "development", "The environment within --config");
ABSL_FLAG(std::string, gate_service, "",
          "With --directory=dns: name:port that resolves to the address of every gate, with their gRPC port, "
          "such as a headless Service of Kubernetes, hubbub-gate.default.svc.cluster.local:4014; empty: "
          "gates are not looked for");
ABSL_FLAG(std::string, connector_service, "",
          "With --directory=dns: name:port of the connectors, as --gate_service");
ABSL_FLAG(std::string, chat_service, "",
          "With --directory=dns: name:port of the chat servers, as --gate_service");
ABSL_FLAG(std::string, dns_server, "",
          "With --directory=dns: the DNS server to ask, address or address:port; empty means the system's");
ABSL_FLAG(std::string, advertise_host, "",
          "With --directory=dns: this server's own host, as it shows it; empty means the machine's name");

namespace hubbub::program {

// OK if the values of the flags above are within their bounds.
inline absl::Status CheckServerFlags() {
  absl::Status age = CheckFlag(FLAGS_max_connection_age, absl::ZeroDuration(), absl::Hours(168));
  return age.ok() ? CheckFlag(FLAGS_max_connection_age_grace, absl::ZeroDuration(), absl::Hours(168)) : age;
}

// The flags above as a value, for the server with this id. `client_port`: with --directory=dns, the port for
// clients; 0 if this kind of server has none.
inline ServerFlags ReadServerFlags(std::string id, uint16_t client_port) {
  return {
      .log = {.level = absl::GetFlag(FLAGS_log_level),
              .format = absl::GetFlag(FLAGS_log_format),
              .server = id},
      .listen = absl::GetFlag(FLAGS_listen),
      .grpc_listen = absl::GetFlag(FLAGS_grpc_listen),
      .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
      .metrics_port = absl::GetFlag(FLAGS_metrics_port),
      .sched_batch = absl::GetFlag(FLAGS_sched_batch),
      .park_grpc_threads = absl::GetFlag(FLAGS_park_grpc_threads),
      .production = absl::GetFlag(FLAGS_production),
      .grpc_plaintext = absl::GetFlag(FLAGS_grpc_plaintext),
      .grpc = {.certificate = absl::GetFlag(FLAGS_grpc_certificate),
               .key = absl::GetFlag(FLAGS_grpc_key),
               .authority = absl::GetFlag(FLAGS_grpc_ca)},
      .grpc_tokens = absl::GetFlag(FLAGS_grpc_tokens),
      .extras = {.max_connection_age = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_max_connection_age)),
                 .max_connection_age_grace =
                     absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_max_connection_age_grace))},
      .directory = {.source = absl::GetFlag(FLAGS_directory),
                    .id = std::move(id),
                    .config = absl::GetFlag(FLAGS_config),
                    .environment = absl::GetFlag(FLAGS_env),
                    .gate_service = absl::GetFlag(FLAGS_gate_service),
                    .connector_service = absl::GetFlag(FLAGS_connector_service),
                    .chat_service = absl::GetFlag(FLAGS_chat_service),
                    .dns_server = absl::GetFlag(FLAGS_dns_server),
                    .advertise_host = absl::GetFlag(FLAGS_advertise_host),
                    .client_port = client_port}};
}

}  // namespace hubbub::program
