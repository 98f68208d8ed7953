#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "services/base/log.h"
#include "services/directory/identity.h"
#include "services/directory/open_directory.h"
#include "services/metrics/metrics.h"
#include "services/metrics/metrics_server.h"
#include "services/program/file_limit.h"
#include "services/program/memory_trim.h"
#include "services/rpc/call_metrics.h"
#include "services/rpc/callback_threads.h"
#include "services/rpc/library_logs.h"
#include "services/rpc/security.h"
#include "services/rpc/server.h"

namespace hubbub::program {

// The flags that all three servers have, as values. services/program/server_flags.h fills it in.
struct ServerFlags {
  LogOptions log = {};
  std::string listen = {};       // Empty: as the directory says.
  std::string grpc_listen = {};  // The next two: as `listen`, if they are empty.
  std::string metrics_listen = {};
  uint16_t metrics_port = 0;
  bool sched_batch = true;
  bool park_grpc_threads = true;
  bool production = false;
  bool grpc_plaintext = false;
  rpc::CertificateFiles grpc = {};
  std::string grpc_tokens = {};
  rpc::ServerExtras extras = {};
  directory::DirectoryOptions directory = {};
};

// Which of the servers a program is.
struct ServerProgram {
  std::string_view name;  // Such as "hubbub-gate": what errors are signed with.
  directory::ServerKind kind;
  std::string_view service;  // Its gRPC service's full name, whose calls are counted.
};

// The part of main that is the same in all three servers: signals, log, limits, gRPC's threads, the directory
// and metrics. Made at the start of main, before any thread; destroyed after the server. Not thread-safe: for
// main's thread. Whatever is wrong with a flag ends the program with one line and exit code 2.
class ServerMain {
 public:
  // `max_connections`: of clients; 0 if this kind of server has none.
  ServerMain(const ServerProgram& program, ServerFlags flags, int max_connections);

  const directory::ServerInfo& self() const { return opened_.self; }
  const directory::Identity& identity() const { return opened_.identity; }
  directory::Directory& directory() { return *opened_.directory; }
  metrics::Metrics& metrics() { return metrics_; }
  const std::string& listen_host() const { return listen_host_; }
  // Client connections that there are open files for.
  int max_clients() const { return files_.clients; }
  // For the gRPC server; points to parts of this object.
  rpc::ServerExtras extras();

  // Warns of what the machine lacks and of doors that are open, and shows the metrics if a port is set for
  // them; null otherwise. To be called once all metrics are added; the result must end before what they read.
  std::unique_ptr<metrics::MetricsServer> ShowMetrics();

  // Says on standard output that the server is ready, then polls the directory and calls `tick` every 250 ms
  // until a signal ends the program. `update`: called with the server list at each change of it.
  void Run(const std::string& grpc_address, const std::string& client_address,
           directory::Directory::Listener update, const std::function<void()>& tick);

 private:
  // Null without certificates.
  std::unique_ptr<rpc::Security> OpenSecurity() const;
  void WarnIfPlain() const;

  const ServerProgram program_;
  const ServerFlags flags_;
  const int max_connections_;
  FileShares files_;
  std::optional<rpc::LibraryLogs> library_logs_;
  std::optional<rpc::CallbackThreads> callback_threads_;
  std::unique_ptr<rpc::Security> security_;
  rpc::Credentials credentials_;
  directory::OpenedDirectory opened_;
  std::optional<directory::IdentityService> identity_service_;
  std::string listen_host_;
  metrics::Metrics metrics_;
  std::optional<rpc::CallMetrics> call_metrics_;
  MemoryTrim memory_trim_;
};

}  // namespace hubbub::program
