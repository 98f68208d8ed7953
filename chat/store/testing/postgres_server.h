#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace hubbub::chat {

// A PostgreSQL server of a test's own, by Debian's package `postgresql`: in a temporary folder, on a free
// port of 127.0.0.1, let in as `hubbub` without a password and as `guarded` with the password `secret`. It
// ends with this object, and with the thread that has started it even if the test crashes. Not thread-safe,
// but for Query and url.
class PostgresServer {
 public:
  struct Options {
    bool fsync = false;
    std::vector<std::string> settings;  // NAME=VALUE of postgresql.conf.
  };

  // Null if this machine has no PostgreSQL. Waits until it answers; a server that does not ends the program
  // with its log, for no test can go on.
  static std::unique_ptr<PostgresServer> Start(Options options);
  static std::unique_ptr<PostgresServer> Start() { return Start(Options()); }
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  int port() const { return port_; }
  // With its own port or that of a proxy before it.
  std::string url(const std::string& database = "postgres", const std::string& user = "hubbub") const;
  static std::string UrlAt(int port, const std::string& database = "postgres",
                           const std::string& user = "hubbub");
  const std::string& folder() const { return folder_; }

  // Rows of text; a failure of the test, and none, if it is an error. As a superuser.
  std::vector<std::vector<std::string>> Query(const std::string& sql,
                                              const std::string& database = "postgres") const;
  // The first column of the first row.
  std::string Value(const std::string& sql, const std::string& database = "postgres") const;

  void Stop();     // As an administrator does, without waiting for clients.
  void Kill();     // Each of its processes, at once, by SIGKILL.
  void Restart();  // After Stop or Kill; the port stays.
  void Pause();    // SIGSTOP to each of its processes.
  void Continue();
  void Reload();  // Its configuration.

 private:
  PostgresServer(std::string programs, std::string folder, Options options);

  void Make();
  void Launch();
  bool Answers() const;
  std::vector<pid_t> Processes() const;
  void Signal(int signal) const;
  void WaitForEnd();

  const std::string programs_, folder_;
  const Options options_;
  int port_ = 0;
  pid_t process_ = 0;  // The first of its processes; 0: it does not run.
};

}  // namespace hubbub::chat
