#include "chat/store/sqlite_servers.h"

#include "fmt/format.h"

namespace hubbub::chat {

SqliteServers::SqliteServers(SqliteSession& session)
    : session_(session),
      list_(session.connection(),
            "SELECT incarnation, id, address, history, beat, draining, gone FROM servers "
            "WHERE NOT gone OR incarnation IN (SELECT owner FROM slots) ORDER BY incarnation"),
      find_(session.connection(), "SELECT gone FROM servers WHERE incarnation = ?"),
      other_mode_(session.connection(),
                  "SELECT id, history FROM servers WHERE NOT gone AND id <> ? AND history <> ? LIMIT 1"),
      replace_(session.connection(), "UPDATE servers SET gone = 1 WHERE id = ? AND NOT gone"),
      insert_(session.connection(),
              "INSERT INTO servers (incarnation, id, address, history, beat, draining, gone) VALUES (?, ?, "
              "?, ?, ?, ?, 0)"),
      renew_(session.connection(), "UPDATE servers SET beat = beat + 1 WHERE incarnation = ? AND NOT gone"),
      set_draining_(session.connection(), "UPDATE servers SET draining = ? WHERE incarnation = ?"),
      mark_gone_(session.connection(),
                 "UPDATE servers SET gone = 1 WHERE incarnation = ? AND beat = ? AND NOT gone"),
      leave_(session.connection(), "UPDATE servers SET gone = 1 WHERE incarnation = ?"),
      free_slots_(session.connection(), "UPDATE slots SET owner = 0 WHERE owner = ?") {}

int SqliteServers::List(std::vector<StoredServer>& servers) {
  return list_.ForEach([&] {
    servers.push_back({static_cast<uint64_t>(list_.Int(0)), list_.Bytes(1), list_.Bytes(2), list_.Bytes(3),
                       list_.Int(4), list_.Int(5) != 0, list_.Int(6) != 0});
  });
}

absl::Status SqliteServers::Register(const StoredServer& server) {
  find_.Bind(server.incarnation);
  other_mode_.Bind(server.id, server.history);
  replace_.Bind(server.id);
  insert_.Bind(server.incarnation, server.id, server.address, server.history, server.beat, server.draining);
  std::string other;
  const absl::Status done = session_.Write([&] {
    bool listed = false;
    int code = find_.ForEach([&] { listed = true; });
    if (code != SQLITE_OK || listed) return code;
    code = other_mode_.ForEach(
        [&] { other = fmt::format("\"{}\" has \"{}\"", other_mode_.Bytes(0), other_mode_.Bytes(1)); });
    if (code != SQLITE_OK || !other.empty()) return code;
    code = replace_.Run();
    return code == SQLITE_OK ? insert_.Run() : code;
  });
  if (!done.ok() || other.empty()) return done;
  return absl::FailedPreconditionError(fmt::format(
      "the chat servers of {} must all have one mode of history: this one has \"{}\", and the server {}",
      session_.name(), server.history, other));
}

absl::StatusOr<bool> SqliteServers::Renew(uint64_t incarnation) {
  renew_.Bind(incarnation);
  int changed = 0;
  const absl::Status done = session_.Write([&] {
    const int code = renew_.Run();
    changed = renew_.Changes();
    return code;
  });
  if (!done.ok()) return done;
  return changed > 0;
}

absl::Status SqliteServers::SetDraining(uint64_t incarnation, bool draining) {
  set_draining_.Bind(draining, incarnation);
  return session_.Write([&] { return set_draining_.Run(); });
}

absl::StatusOr<bool> SqliteServers::MarkGone(uint64_t incarnation, int64_t beat) {
  mark_gone_.Bind(incarnation, beat);
  find_.Bind(incarnation);
  bool gone = true;
  const absl::Status done = session_.Write([&] {
    const int code = mark_gone_.Run();
    return code == SQLITE_OK ? find_.ForEach([&] { gone = find_.Int(0) != 0; }) : code;
  });
  if (!done.ok()) return done;
  return gone;
}

absl::Status SqliteServers::Leave(uint64_t incarnation) {
  leave_.Bind(incarnation);
  free_slots_.Bind(incarnation);
  return session_.Write([&] {
    const int code = leave_.Run();
    return code == SQLITE_OK ? free_slots_.Run() : code;
  });
}

}  // namespace hubbub::chat
