#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "services/base/mutex.h"

namespace hubbub::rpc {

// One line, a T, to each server of a list: keeps the line of a server that is as it was, replaces that of a
// server that has changed, and stops that of a server that has gone. A Server has an `id`, which sorts, and
// compares equal while it is the same process at the same address.
//
// Thread-safe. Changes run one after another, each in this order: the factory makes the new lines, the map is
// replaced, the old lines stop, the new ones start. So what an old line says is over before a new one speaks.
// No lock that a reader takes is held meanwhile: the functions given, and the lines' callbacks that they wait
// for, may call Find and All, but nothing else of this object.
//
// Owned by the class whose lines they are, which declares it after what they use: its end stops all lines. It
// shares them with those who got them from Find and All, so a line that was stopped can live on.
template <typename T, typename Server>
class ServerLines {
 public:
  using Line = std::shared_ptr<T>;
  struct Functions {
    std::function<Line(const Server&)> make;    // A line that does nothing yet; never null.
    std::function<void(T&)> start = [](T&) {};  // Once for each line that was made,
    std::function<void(T&)> stop = [](T&) {};   // and once after that.
  };

  explicit ServerLines(Functions functions) : functions_(std::move(functions)) {}
  ~ServerLines() { Stop(); }
  ServerLines(const ServerLines&) = delete;
  ServerLines& operator=(const ServerLines&) = delete;

  // Takes another list over. Of two servers with one id, the first counts. Does nothing after Stop.
  void Update(const std::vector<Server>& servers) ABSL_LOCKS_EXCLUDED(change_mu_, mu_) {
    Update([&servers] { return servers; });
  }
  // The same with what `list` returns when it is this change's turn: a list that was read earlier does not
  // replace one that was read later.
  void Update(absl::FunctionRef<std::vector<Server>()> list) ABSL_LOCKS_EXCLUDED(change_mu_, mu_) {
    MutexLock change(change_mu_);
    if (stopped_) return;
    const Map before = Now();
    Map after;
    for (const Server& server : list()) {
      if (after.contains(server.id)) continue;
      const auto known = before.find(server.id);
      const bool same = known != before.end() && known->second.server == server;
      after.emplace(server.id, same ? known->second : Entry{server, functions_.make(server)});
    }
    Become(before, after);
  }

  // Stops all lines for good.
  void Stop() ABSL_LOCKS_EXCLUDED(change_mu_, mu_) {
    MutexLock change(change_mu_);
    stopped_ = true;
    Become(Now(), {});
  }

  // The line to the server with this id; null if there is none.
  template <typename Id>
  Line Find(const Id& id) const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return LineTo(lines_, id);
  }
  // Sorted by id.
  std::vector<Line> All() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    std::vector<Line> all;
    all.reserve(lines_.size());
    for (const auto& [id, entry] : lines_) all.push_back(entry.line);
    return all;
  }

 private:
  struct Entry {
    Server server;
    Line line;
  };
  using Map = std::map<decltype(Server::id), Entry, std::less<>>;

  template <typename Id>
  static Line LineTo(const Map& lines, const Id& id) {
    const auto at = lines.find(id);
    return at == lines.end() ? nullptr : at->second.line;
  }

  Map Now() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return lines_;
  }

  void Become(const Map& before, const Map& after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_)
      ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      lines_ = after;
    }
    for (const auto& [id, entry] : before) {
      if (LineTo(after, id) != entry.line) functions_.stop(*entry.line);
    }
    for (const auto& [id, entry] : after) {
      if (LineTo(before, id) != entry.line) functions_.start(*entry.line);
    }
  }

  const Functions functions_;
  Mutex change_mu_;  // Held for the whole of a change.
  bool stopped_ ABSL_GUARDED_BY(change_mu_) = false;
  mutable Mutex mu_;
  Map lines_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::rpc
