#include "chat/store/testing/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

// Where Debian's packages put the programs; the newest version. Empty: there are none.
std::string FindPrograms() {
  std::string found;
  std::error_code error;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string programs = version.path() / "bin";
    if (access((programs + "/initdb").c_str(), X_OK) == 0 &&
        access((programs + "/postgres").c_str(), X_OK) == 0) {
      found = std::max(found, programs);
    }
  }
  return found;
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  return bound ? ntohs(address.sin_port) : 0;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

[[noreturn]] void GiveUp(const std::string& what, const std::string& folder) {
  std::fprintf(stderr, "%s:\n%s\n", what.c_str(), ReadFile(folder + "/log").c_str());
  std::abort();
}

void WaitFor(const std::string& what, const std::string& folder, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) GiveUp(what, folder);
    usleep(5000);
  }
}

// As the user `postgres` where the test is root, as which PostgreSQL does not run. SIGQUIT ends a server at
// once, with all its processes; it comes when the thread that has started it ends.
pid_t Spawn(std::vector<std::string> arguments, const std::string& folder) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "QUIT"};
  if (getuid() == 0)
    words.insert(words.end(), {"--reuid", "postgres", "--regid", "postgres", "--clear-groups"});
  words.insert(words.end(), std::make_move_iterator(arguments.begin()),
               std::make_move_iterator(arguments.end()));
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language = "LC_ALL=C.UTF-8";
  char* environment[] = {path.data(), language.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t process = 0;
  const int error = posix_spawnp(&process, "setpriv", &actions, nullptr, pointers.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) GiveUp("setpriv cannot be run", folder);
  return process;
}

// The parent of a process, and the letter of its state; 0 if there is none.
std::pair<pid_t, char> ParentAndState(pid_t process) {
  const std::string stat = ReadFile(fmt::format("/proc/{}/stat", process));
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {0, 0};
  int parent = 0;
  char state = 0;
  if (std::sscanf(stat.c_str() + name_end + 1, " %c %d", &state, &parent) != 2) return {0, 0};
  return {parent, state};
}

bool Lives(pid_t process) {
  const char state = ParentAndState(process).second;
  return state != 0 && state != 'Z' && state != 'X';
}

}  // namespace

std::unique_ptr<PostgresServer> PostgresServer::Start(Options options) {
  const std::string programs = FindPrograms();
  if (programs.empty()) return nullptr;
  std::string folder = (std::filesystem::temp_directory_path() / "hubbub-postgres-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) GiveUp("no folder can be made for PostgreSQL: " + folder, folder);
  std::unique_ptr<PostgresServer> server(new PostgresServer(programs, folder, std::move(options)));
  server->Make();
  server->Launch();
  return server;
}

PostgresServer::PostgresServer(std::string programs, std::string folder, Options options)
    : programs_(std::move(programs)),
      folder_(std::move(folder)),
      options_(std::move(options)),
      port_(FreePort()) {}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void PostgresServer::Make() {
  if (getuid() == 0) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwnam_r("postgres", &entry, buffer, sizeof(buffer), &found) != 0 || found == nullptr ||
        chown(folder_.c_str(), found->pw_uid, found->pw_gid) != 0) {
      GiveUp("the user postgres, as whom PostgreSQL must run here, cannot have " + folder_, folder_);
    }
  }
  const pid_t maker = Spawn({programs_ + "/initdb", "-D", folder_ + "/data", "-U", "hubbub", "-E", "UTF8",
                             "--locale=C.UTF-8", "-A", "trust", "--no-sync", "--no-instructions"},
                            folder_);
  int status = 0;
  if (waitpid(maker, &status, 0) != maker || status != 0) GiveUp("initdb has failed", folder_);
  std::ofstream(folder_ + "/data/pg_hba.conf") << "host all guarded 127.0.0.1/32 scram-sha-256\n"
                                                  "host all all 127.0.0.1/32 trust\n";
}

void PostgresServer::Launch() {
  std::vector<std::string> words = {programs_ + "/postgres", "-D", folder_ + "/data"};
  std::vector<std::string> settings = {
      "listen_addresses=127.0.0.1", fmt::format("port={}", port_),
      "unix_socket_directories=",   options_.fsync ? "fsync=on" : "fsync=off",
      "shared_buffers=32MB",        "max_connections=60",
      "logging_collector=off"};
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) words.insert(words.end(), {"-c", setting});
  process_ = Spawn(std::move(words), folder_);
  WaitFor("PostgreSQL does not answer", folder_, [this] {
    if (!Lives(process_)) GiveUp("PostgreSQL has ended", folder_);
    return Answers();
  });
  if (Value("SELECT count(*) FROM pg_roles WHERE rolname = 'guarded'") == "0") {
    Query("CREATE ROLE guarded LOGIN PASSWORD 'secret'");
  }
}

std::string PostgresServer::url(const std::string& database, const std::string& user) const {
  return UrlAt(port_, database, user);
}

std::string PostgresServer::UrlAt(int port, const std::string& database, const std::string& user) {
  return fmt::format("postgres://{}@127.0.0.1:{}/{}?sslmode=disable", user, port, database);
}

bool PostgresServer::Answers() const {
  return PQping((url() + "&connect_timeout=2").c_str()) == PQPING_OK;
}

std::vector<std::vector<std::string>> PostgresServer::Query(const std::string& sql,
                                                            const std::string& database) const {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url(database).c_str()), &PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                              &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  std::vector<std::vector<std::string>> rows;
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    ADD_FAILURE() << sql << ": " << PQerrorMessage(connection.get());
    return rows;
  }
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      rows.back().emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  return rows;
}

std::string PostgresServer::Value(const std::string& sql, const std::string& database) const {
  const auto rows = Query(sql, database);
  return rows.empty() || rows[0].empty() ? "" : rows[0][0];
}

std::vector<pid_t> PostgresServer::Processes() const {
  std::vector<pid_t> processes;
  if (process_ == 0) return processes;
  processes.push_back(process_);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && ParentAndState(process).first == process_) processes.push_back(process);
  }
  return processes;
}

void PostgresServer::Signal(int signal) const {
  for (const pid_t process : Processes()) kill(process, signal);
}

void PostgresServer::WaitForEnd() {
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

void PostgresServer::Stop() {
  if (process_ == 0) return;
  kill(process_, SIGINT);
  WaitForEnd();
}

void PostgresServer::Kill() {
  if (process_ == 0) return;
  // Its first process stops first, so that it starts none meanwhile. A new server waits for the ends of all.
  kill(process_, SIGSTOP);
  const std::vector<pid_t> processes = Processes();
  for (const pid_t process : processes) kill(process, SIGKILL);
  WaitForEnd();
  WaitFor("PostgreSQL's processes do not end", folder_, [&] {
    for (const pid_t process : processes) {
      if (Lives(process)) return false;
    }
    return true;
  });
}

void PostgresServer::Restart() {
  if (process_ == 0) Launch();
}

void PostgresServer::Pause() {
  Signal(SIGSTOP);
}

void PostgresServer::Continue() {
  Signal(SIGCONT);
}

void PostgresServer::Reload() {
  if (process_ != 0) kill(process_, SIGHUP);
}

}  // namespace hubbub::chat
