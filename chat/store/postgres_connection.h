#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/interruptible_wait.h"
#include "chat/store/postgres_settings.h"
#include "chat/store/postgres_values.h"
#include "services/dns/resolver.h"

namespace hubbub::chat {

// A statement of the store's. Each is prepared once in a connection, under its name.
struct PostgresStatement {
  const char* name;
  const char* sql;
  bool writes;  // If so, an answer that was lost leaves it unknown whether it was done.
};

// One connection to PostgreSQL by libpq, never blocked but by what `wait` and `resolver` can interrupt. Used
// by one thread. It does not reconnect by itself: see PostgresSession.
class PostgresConnection {
 public:
  // All outlive it.
  PostgresConnection(const PostgresSettings& settings, dns::Resolver& resolver,
                     const InterruptibleWait& wait);
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Opens it anew. UNAVAILABLE; PERMISSION_DENIED if the server refuses the login; FAILED_PRECONDITION if its
  // databases cannot be used; CANCELLED.
  absl::Status Connect();
  void Close();
  // False if it was not opened, or is known to have ended. Looks whether the server has ended it meanwhile.
  bool Alive();
  // The server's process for this connection.
  int backend() const { return PQbackendPID(connection_.get()); }

  // Sends one statement in one flush and waits for its answer. UNAVAILABLE with the connection closed if it
  // was lost before anything was sent; UNKNOWN and closed if it was lost later, or did not answer in time.
  // Otherwise as ClassifyStatementError has it. `slow` is called while the answer does not come.
  absl::StatusOr<PostgresRows> Run(const PostgresStatement& statement, const PostgresParameters& parameters,
                                   const std::function<void()>& slow = {});
  // Statements without parameters, divided by semicolons, in one transaction and one flush. The rows of the
  // last one.
  absl::StatusOr<PostgresRows> RunAll(const std::string& statements, const std::function<void()>& slow = {});

  // SQLSTATE of the last statement's error; empty if it had none.
  const std::string& last_state() const { return last_state_; }

 private:
  using Clock = InterruptibleWait::Clock;
  enum class Progress { kDone, kLost, kTimeout, kInterrupted };
  struct Answer {
    PostgresRows rows;
    absl::Status error;
    bool reconnect = false;
  };

  static void OnNotice(void* connection, const PGresult* notice);
  absl::Status ConnectToHost(const PostgresSettings::Words& host, const std::string& password);
  absl::Status ConnectTo(const PostgresSettings::Words& host, const std::string& address,
                         const std::string& password);
  absl::Status ConnectError();
  Progress Flush(Clock::time_point deadline, const std::function<void()>& slow);
  Progress WaitForResult(Clock::time_point deadline, const std::function<void()>& slow);
  Progress TakeAnswer(Clock::time_point deadline, const std::function<void()>& slow, Answer& answer);
  Progress WaitFor(short events, Clock::time_point deadline, const std::function<void()>& slow);
  absl::Status Prepare(const PostgresStatement& statement, const PostgresParameters& parameters);
  absl::StatusOr<PostgresRows> Finish(const std::function<void()>& slow);
  absl::Status LostBeforeSending();

  const PostgresSettings& settings_;
  dns::Resolver& resolver_;
  const InterruptibleWait& wait_;
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_{nullptr, &PQfinish};
  std::set<std::string, std::less<>> prepared_;
  size_t host_ = 0;  // Which of the settings' hosts is tried first: that which answered last.
  std::string last_state_;
  bool ending_ = false;  // The server has said that it ends the connection.
};

}  // namespace hubbub::chat
