#include "chat/store/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "chat/store/postgres_errors.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

absl::Status Interrupted(const std::string& store) {
  return absl::CancelledError(store + ": interrupted");
}

// Whether there is something to be read, be it the end.
bool Readable(int socket) {
  pollfd wanted{.fd = socket, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, 0) > 0;
}

}  // namespace

PostgresConnection::PostgresConnection(const PostgresSettings& settings, dns::Resolver& resolver,
                                       const InterruptibleWait& wait)
    : settings_(settings), resolver_(resolver), wait_(wait) {}

absl::Status PostgresConnection::Connect() {
  const absl::StatusOr<std::string> password = settings_.ReadPassword();
  if (!password.ok()) return password.status();
  absl::Status last;
  std::string texts;
  for (size_t tried = 0; tried < settings_.hosts().size(); ++tried) {
    last = ConnectToHost(settings_.hosts()[host_], *password);
    // As in libpq, a refused login is final: the next host is tried only if this one is unavailable.
    if (last.code() != absl::StatusCode::kUnavailable) return last;
    texts += fmt::format("{}{}", texts.empty() ? "" : "; ", std::string(last.message()));
    host_ = (host_ + 1) % settings_.hosts().size();
  }
  return absl::UnavailableError(texts);
}

absl::Status PostgresConnection::ConnectToHost(const PostgresSettings::Words& host,
                                               const std::string& password) {
  const std::string name = PostgresSettings::NameToResolve(host);
  if (name.empty()) return ConnectTo(host, "", password);
  const absl::StatusOr<dns::Resolver::Hosts> addresses = resolver_.Resolve({name})[0];
  if (absl::IsCancelled(addresses.status())) return Interrupted(settings_.name());
  if (!addresses.ok()) {
    return absl::UnavailableError(fmt::format("{}: {} does not resolve: {}", settings_.name(), name,
                                              std::string(addresses.status().message())));
  }
  absl::Status last;
  for (const std::string& address : *addresses) {
    last = ConnectTo(host, address, password);
    if (!absl::IsUnavailable(last)) break;
  }
  return last;
}

absl::Status PostgresConnection::ConnectTo(const PostgresSettings::Words& host, const std::string& address,
                                           const std::string& password) {
  Close();
  std::vector<const char*> keywords, values;
  const auto add = [&](const std::string& keyword, const std::string& value) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  };
  for (const auto& [keyword, value] : host) add(keyword, value);
  const std::string address_keyword = "hostaddr", password_keyword = "password";
  if (!address.empty()) add(address_keyword, address);
  if (!password.empty()) add(password_keyword, password);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection_) return absl::UnavailableError(settings_.name() + ": out of memory");
  // So that the error of a refused login shows its SQLSTATE.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(connection_.get(), &OnNotice, this);
  const auto deadline = Clock::now() + settings_.times().connect;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD) {
    if (next == PGRES_POLLING_OK) break;
    if (next == PGRES_POLLING_FAILED) return ConnectError();
    switch (
        wait_.For(PQsocket(connection_.get()), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
      case InterruptibleWait::Event::kInterrupted:
        Close();
        return Interrupted(settings_.name());
      case InterruptibleWait::Event::kTimeout:
        Close();
        return absl::UnavailableError(
            fmt::format("{} has let nobody in for {} ms: see whether the server runs and is reachable",
                        settings_.name(), settings_.times().connect.count()));
      case InterruptibleWait::Event::kReady:
        break;
    }
    next = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) return ConnectError();
  PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(connection_.get(), 1);
  const char* encoding = PQparameterStatus(connection_.get(), "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    const std::string found = encoding == nullptr ? "none" : encoding;
    Close();
    return absl::FailedPreconditionError(fmt::format(
        "{}: the database's encoding is {}: make one with ENCODING 'UTF8'", settings_.name(), found));
  }
  return absl::OkStatus();
}

absl::Status PostgresConnection::ConnectError() {
  const std::string text = PQerrorMessage(connection_.get());
  const bool wants_password = PQconnectionNeedsPassword(connection_.get()) != 0;
  Close();
  return ClassifyConnectError(settings_.name(), wants_password ? "28P01" : FindSqlState(text),
                              PlainErrorText(text));
}

void PostgresConnection::OnNotice(void* connection, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  const std::string_view said = severity == nullptr ? "" : severity;
  if (said == "FATAL" || said == "PANIC") static_cast<PostgresConnection*>(connection)->ending_ = true;
}

void PostgresConnection::Close() {
  ending_ = false;
  connection_.reset();
  prepared_.clear();
}

bool PostgresConnection::Alive() {
  if (!connection_) return false;
  while (PQstatus(connection_.get()) == CONNECTION_OK && Readable(PQsocket(connection_.get()))) {
    if (PQconsumeInput(connection_.get()) == 0) break;
  }
  // What has come while nothing was asked is read here: a server that ends the connection says so, and may
  // take its time to do it.
  while (PGnotify* notify = PQnotifies(connection_.get())) PQfreemem(notify);
  if (PQstatus(connection_.get()) == CONNECTION_OK && !ending_) return true;
  Close();
  return false;
}

absl::StatusOr<PostgresRows> PostgresConnection::Run(const PostgresStatement& statement,
                                                     const PostgresParameters& parameters,
                                                     const std::function<void()>& slow) {
  if (wait_.interrupted()) return Interrupted(settings_.name());
  if (!Alive()) return LostBeforeSending();
  if (absl::Status status = Prepare(statement, parameters); !status.ok()) return status;
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : parameters.values()) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(values.size(), 1);
  if (PQsendQueryPrepared(connection_.get(), statement.name, static_cast<int>(values.size()), values.data(),
                          lengths.data(), formats.data(), 1) == 0) {
    return LostBeforeSending();
  }
  return Finish(slow);
}

absl::StatusOr<PostgresRows> PostgresConnection::RunAll(const std::string& statements,
                                                        const std::function<void()>& slow) {
  if (wait_.interrupted()) return Interrupted(settings_.name());
  if (!Alive() || PQsendQuery(connection_.get(), statements.c_str()) == 0) return LostBeforeSending();
  return Finish(slow);
}

absl::Status PostgresConnection::Prepare(const PostgresStatement& statement,
                                         const PostgresParameters& parameters) {
  if (prepared_.contains(statement.name)) return absl::OkStatus();
  if (PQsendPrepare(connection_.get(), statement.name, statement.sql,
                    static_cast<int>(parameters.types().size()), parameters.types().data()) == 0) {
    return LostBeforeSending();
  }
  const absl::Status status = Finish({}).status();
  if (status.ok()) prepared_.insert(statement.name);
  // What was lost was no more than the preparation.
  if (absl::IsUnknown(status)) {
    Close();
    return absl::UnavailableError(std::string(status.message()));
  }
  return status;
}

absl::Status PostgresConnection::LostBeforeSending() {
  const std::string text =
      connection_ ? PlainErrorText(PQerrorMessage(connection_.get())) : "the connection has ended";
  Close();
  return absl::UnavailableError(fmt::format("{}: {}", settings_.name(), text));
}

absl::StatusOr<PostgresRows> PostgresConnection::Finish(const std::function<void()>& slow) {
  last_state_.clear();
  const auto deadline = Clock::now() + settings_.times().answer;
  Answer answer;
  Progress progress = Flush(deadline, slow);
  if (progress == Progress::kDone || progress == Progress::kLost)
    progress = TakeAnswer(deadline, slow, answer);
  if (progress == Progress::kInterrupted) {
    Close();
    return Interrupted(settings_.name());
  }
  if (progress == Progress::kTimeout) {
    Close();
    return absl::UnknownError(fmt::format("{} has not answered for {} ms: ask the same again",
                                          settings_.name(), settings_.times().answer.count()));
  }
  if (progress == Progress::kLost && answer.error.ok()) {
    answer.error = absl::UnknownError(fmt::format(
        "{}: the connection was lost while a statement was out: ask the same again", settings_.name()));
  }
  if (progress == Progress::kLost || answer.reconnect) Close();
  if (!answer.error.ok()) return answer.error;
  return std::move(answer.rows);
}

PostgresConnection::Progress PostgresConnection::WaitFor(short events, Clock::time_point deadline,
                                                         const std::function<void()>& slow) {
  while (true) {
    const auto look = std::min(deadline, Clock::now() + settings_.times().look);
    switch (wait_.For(PQsocket(connection_.get()), events, look)) {
      case InterruptibleWait::Event::kInterrupted:
        return Progress::kInterrupted;
      case InterruptibleWait::Event::kReady:
        return Progress::kDone;
      case InterruptibleWait::Event::kTimeout:
        break;
    }
    if (Clock::now() >= deadline) return Progress::kTimeout;
    if (slow) slow();
  }
}

PostgresConnection::Progress PostgresConnection::Flush(Clock::time_point deadline,
                                                       const std::function<void()>& slow) {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left < 0) return Progress::kLost;
    if (left == 0) return Progress::kDone;
    // What comes meanwhile must be read, or both sides wait for each other.
    if (Progress progress = WaitFor(POLLIN | POLLOUT, deadline, slow); progress != Progress::kDone)
      return progress;
    if (Readable(PQsocket(connection_.get())) && PQconsumeInput(connection_.get()) == 0)
      return Progress::kLost;
  }
}

PostgresConnection::Progress PostgresConnection::WaitForResult(Clock::time_point deadline,
                                                               const std::function<void()>& slow) {
  while (PQisBusy(connection_.get()) != 0) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) return Progress::kLost;
    if (Progress progress = WaitFor(POLLIN, deadline, slow); progress != Progress::kDone) return progress;
    if (PQconsumeInput(connection_.get()) == 0) return Progress::kLost;
  }
  return Progress::kDone;
}

// Until libpq says that there is no more, for a statement is committed only behind its rows and its tag.
PostgresConnection::Progress PostgresConnection::TakeAnswer(Clock::time_point deadline,
                                                            const std::function<void()>& slow,
                                                            Answer& answer) {
  while (true) {
    const Progress progress = WaitForResult(deadline, slow);
    if (progress == Progress::kTimeout || progress == Progress::kInterrupted) return progress;
    // Behind a loss it gives what came before it, and does not wait.
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) break;
    PostgresRows rows(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      answer.rows = std::move(rows);
      continue;
    }
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string text = PlainErrorText(PQresultErrorMessage(result));
    if (state == nullptr) {  // libpq's own: the connection was lost.
      answer.error.Update(
          absl::UnknownError(fmt::format("{}: {}: ask the same again", settings_.name(), text)));
      answer.reconnect = true;
    } else if (last_state_.empty()) {
      last_state_ = state;
      StatementError classified = ClassifyStatementError(settings_.name(), state, text);
      answer.error.Update(classified.status);
      answer.reconnect = answer.reconnect || classified.reconnect;
    }
  }
  return PQstatus(connection_.get()) == CONNECTION_OK ? Progress::kDone : Progress::kLost;
}

}  // namespace hubbub::chat
