#include "chat/store/postgres_settings.h"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

constexpr std::string_view kHow = "write postgres://[USER@]HOST[:PORT]/DATABASE";

// Each session has these whatever the server, the database or the role are set to; the server's keepalives
// make it notice within 5 s that a program is gone, and give its locks back.
constexpr char kSessionOptions[] =
    "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c statement_timeout=0 -c "
    "lock_timeout=0 "
    "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c "
    "tcp_user_timeout=5000";

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> parts;
  while (true) {
    const size_t comma = std::min(list.find(','), list.size());
    parts.emplace_back(list.substr(0, comma));
    if (comma == list.size()) return parts;
    list.remove_prefix(comma + 1);
  }
}

std::string Word(const PostgresSettings::Words& words, const char* keyword) {
  const auto found = words.find(keyword);
  return found == words.end() ? std::string() : found->second;
}

// As libpq would take it itself, from PGHOST, PGHOSTADDR or a service file.
void AddDefaultHost(PostgresSettings::Words& words) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> defaults(PQconndefaults(),
                                                                                &PQconninfoFree);
  for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    const std::string_view keyword = option->keyword;
    if ((keyword == "host" || keyword == "hostaddr") && option->val != nullptr)
      words[option->keyword] = option->val;
  }
}

absl::StatusOr<PostgresSettings::Words> Read(const std::string& url) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> read(
      PQconninfoParse(url.c_str(), &error), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> freed(error, &PQfreemem);
  if (!read) {
    // The text quotes parts of the URL, where a password may be.
    const bool quotes = error == nullptr || url.find_first_of("@%") != std::string::npos ||
                        url.find("password") != std::string::npos;
    return absl::InvalidArgumentError(fmt::format("the URL of the store cannot be read{}: {}",
                                                  quotes ? "" : fmt::format(" ({})", error), kHow));
  }
  PostgresSettings::Words words;
  for (const PQconninfoOption* option = read.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) words[option->keyword] = option->val;
  }
  // A service's file says where it is, and what is said here would win over that.
  if (!words.contains("host") && !words.contains("hostaddr") && !words.contains("service"))
    AddDefaultHost(words);
  return words;
}

std::string Describe(const PostgresSettings::Words& words) {
  const std::vector<std::string> hosts = Split(Word(words, words.contains("host") ? "host" : "hostaddr"));
  const std::vector<std::string> ports = Split(Word(words, "port"));
  std::string places;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::string& port = ports[ports.size() == 1 ? 0 : std::min(i, ports.size() - 1)];
    places += fmt::format("{}{}{}{}", i == 0 ? "" : ",", hosts[i].empty() ? "localhost" : hosts[i],
                          port.empty() ? "" : ":", port);
  }
  const std::string user = Word(words, "user"), database = Word(words, "dbname");
  return fmt::format("PostgreSQL at {}{}{}{}{}", places, database.empty() ? "" : "/", database,
                     user.empty() ? "" : " as ", user);
}

}  // namespace

absl::StatusOr<PostgresSettings> PostgresSettings::Parse(const StoreOptions& options,
                                                         const PostgresTimes& times) {
  absl::StatusOr<Words> words = Read(options.url);
  if (!words.ok()) return words.status();
  if (words->contains("password") || words->contains("sslpassword")) {
    return absl::InvalidArgumentError(
        "the URL of the store has a password, which everybody on the machine could read: give it by "
        "PGPASSWORD, PGPASSFILE "
        "or the store's password file");
  }
  PostgresSettings settings;
  settings.name_ = Describe(*words);
  settings.password_file_ = options.password_file;
  settings.times_ = times;
  if (const std::string limit = Word(*words, "connect_timeout"); !limit.empty()) {
    int seconds = 0;
    std::from_chars(limit.data(), limit.data() + limit.size(), seconds);
    if (seconds > 0) settings.times_.connect = std::chrono::seconds(seconds);
  }
  for (const auto& [keyword, value] :
       {std::pair{"application_name", "hubbub"}, std::pair{"target_session_attrs", "read-write"},
        std::pair{"keepalives", "1"}, std::pair{"keepalives_idle", "2"},
        std::pair{"keepalives_interval", "1"}, std::pair{"keepalives_count", "3"},
        std::pair{"tcp_user_timeout", "5000"}}) {
    words->try_emplace(keyword, value);
  }
  (*words)["client_encoding"] = "UTF8";
  std::string& session = (*words)["options"];
  session = session.empty() ? kSessionOptions : fmt::format("{} {}", kSessionOptions, session);

  const std::string hosts = Word(*words, "host"), addresses = Word(*words, "hostaddr"),
                    ports = Word(*words, "port");
  const std::vector<std::string> each_host = Split(hosts), each_address = Split(addresses),
                                 each_port = Split(ports);
  const size_t count = std::max(each_host.size(), each_address.size());
  if ((!hosts.empty() && each_host.size() != count) || (!addresses.empty() && each_address.size() != count) ||
      (each_port.size() != 1 && each_port.size() != count)) {
    return absl::InvalidArgumentError(
        fmt::format("the URL of the store names {} hosts, {} addresses and {} ports: give each host one",
                    each_host.size(), addresses.empty() ? 0 : each_address.size(), each_port.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    Words one = *words;
    if (!hosts.empty()) one["host"] = each_host[i];
    if (!addresses.empty()) one["hostaddr"] = each_address[i];
    if (!ports.empty()) one["port"] = each_port[each_port.size() == 1 ? 0 : i];
    settings.hosts_.push_back(std::move(one));
  }
  return settings;
}

std::string PostgresSettings::NameToResolve(const Words& host) {
  if (!Word(host, "hostaddr").empty()) return "";
  std::string name = Word(host, "host");
  // A folder, or a name among the kernel's abstract ones.
  const bool is_socket = name.starts_with('/') || name.starts_with('@');
  return is_socket ? "" : name;
}

absl::StatusOr<std::string> PostgresSettings::ReadPassword() const {
  if (password_file_.empty()) return std::string();
  std::ifstream file(password_file_);
  std::string password{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    return absl::UnavailableError(fmt::format(
        "the store's password file {} cannot be read: make it, or name another one", password_file_));
  }
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
  return password;
}

}  // namespace hubbub::chat
