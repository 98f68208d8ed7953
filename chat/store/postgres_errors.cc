#include "chat/store/postgres_errors.h"

#include <algorithm>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

bool InClass(std::string_view state, std::string_view sql_class) {
  return state.substr(0, 2) == sql_class;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// With a digit at least, as all states have one that connections fail with: FATAL and ERROR are words.
bool IsState(std::string_view state) {
  return std::any_of(state.begin(), state.end(), IsDigit) &&
         std::all_of(state.begin(), state.end(), [](char c) { return IsDigit(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

StatementError ClassifyStatementError(const std::string& store, std::string_view state,
                                      const std::string& text) {
  const std::string what = fmt::format("{}: {} ({})", store, text, state);
  // The server ends this connection, which may be before or behind the commit.
  if (InClass(state, "57") && state != "57014") {
    return {absl::UnknownError(what + ": the server has ended the statement; ask the same again"), true};
  }
  // Rolled back by the server for its own reasons, or a failing disk.
  if (InClass(state, "40") || InClass(state, "58") || state == "55P03" || state == "57014") {
    return {absl::UnknownError(what + ": ask the same again"), false};
  }
  if (InClass(state, "08")) return {absl::UnknownError(what + ": ask the same again"), true};
  // Perhaps a standby by now: another host may be the primary.
  if (state == "25006")
    return {absl::UnavailableError(what + ": the database is read-only; make it writable"), true};
  if (InClass(state, "53")) {
    return {absl::UnavailableError(what + ": give the server the disk or the memory that it lacks"), false};
  }
  if (state == "42501") {
    return {absl::UnavailableError(what +
                                   ": grant this user the rights to read and write the tables of the store"),
            false};
  }
  if (state == "26000" || state == "0A000") {
    return {absl::UnavailableError(
                what + ": the connection does not know its prepared statements; a pooler between must pool "
                       "sessions, not transactions"),
            true};
  }
  if (state == "42P01" || state == "42703" || state == "3F000") {
    return {absl::FailedPreconditionError(what +
                                          ": the tables of the store are missing or are not those of Hubbub"),
            false};
  }
  return {absl::InternalError(what), false};
}

absl::Status ClassifyConnectError(const std::string& store, std::string_view state, const std::string& text) {
  const std::string what = fmt::format("{} cannot be reached: {}", store, text);
  if (InClass(state, "28")) {
    return absl::PermissionDeniedError(
        what +
        ": give the right user in the URL and the right password by PGPASSWORD, PGPASSFILE "
        "or the store's password file");
  }
  if (state == "3D000")
    return absl::PermissionDeniedError(what + ": make the database, or name another one in the URL");
  if (state == "42501") return absl::PermissionDeniedError(what + ": grant this user the right to connect");
  return absl::UnavailableError(what);
}

std::string FindSqlState(std::string_view text) {
  // Between a word in the server's language and the message, with ": " on both sides.
  for (size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    if (colon >= 5 && IsState(text.substr(colon - 5, 5)) && colon >= 6 && text[colon - 6] == ' ') {
      return std::string(text.substr(colon - 5, 5));
    }
  }
  return {};
}

std::string PlainErrorText(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.substr(0, 9) == "LOCATION:") continue;
    if (!plain.empty()) plain += "; ";
    plain += line;
  }
  return plain;
}

}  // namespace hubbub::chat
