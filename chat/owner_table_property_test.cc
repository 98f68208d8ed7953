// What OwnerTables do together: whatever happens, and in whatever order it is heard of, a room is in one
// place. The rules are in ARCHITECTURE.md, "Ownership".
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chat/owner_table.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using Kind = OwnerTable::Owner::Kind;

std::string Id(size_t i) {
  return fmt::format("chat-{}", i);
}

std::vector<ServerInfo> Servers(const std::set<std::string>& ids) {
  std::vector<ServerInfo> servers;
  for (const std::string& id : ids)
    servers.push_back({.kind = ServerKind::kChat, .id = id, .host = "10.0.0.1", .port = 9000});
  return servers;
}

// Chat servers, each a table and the rooms that it holds, which can all reach each other. Each stream between
// two of them delivers in order, but when is for the test to say, as is when a server reads the directory and
// when a room that is given away, or the answer to that, arrives.
class Cluster {
 public:
  void Start(const std::string& id) {
    directory_.insert(id);
    auto& node = nodes_[id];
    node = std::make_unique<Node>(id, ++incarnations_);
    node->table.SetServers(Servers(directory_));
    node->table.OnChange([this, id] { Tell(id); });
    Watch(id);
  }
  // Out of the directory, or back in; others, and it itself, read that when they Read.
  void Unlist(const std::string& id) { directory_.erase(id); }
  void List(const std::string& id) { directory_.insert(id); }
  void Read(const std::string& id) {
    nodes_.at(id)->table.SetServers(Servers(directory_));
    Watch(id);
  }
  void Drain(const std::string& id) { nodes_.at(id)->table.Drain(); }
  // What it has said already may still arrive, and then the end of its streams.
  void Kill(const std::string& id) {
    directory_.erase(id);
    nodes_.erase(id);
    std::erase_if(streams_, [&](const auto& stream) { return stream.first.second == id; });
    for (auto& [ends, stream] : streams_) {
      if (ends.first == id) stream.ended = true;
    }
    std::erase_if(gifts_, [&](const Gift& gift) { return gift.from == id; });
  }
  // The next that is on its way from one to the other arrives.
  void Deliver(const std::string& from, const std::string& to) {
    const auto at = streams_.find({from, to});
    if (at == streams_.end()) return;
    Stream& stream = at->second;
    OwnerTable& table = nodes_.at(to)->table;
    if (!stream.messages.empty()) {
      const PeerStatus status = stream.messages.front();
      stream.messages.pop_front();
      table.Heard(status);
    } else if (stream.ended) {
      streams_.erase(at);
      // It is opened again at once, and may find another run of that server.
      if (!nodes_.contains(from)) table.Lost(from);
    }
    Watch(to);
  }
  void Ask(const std::string& id, const std::string& room) {
    Node& node = *nodes_.at(id);
    if (!node.rooms.contains(room) && !node.frozen.contains(room) && node.table.Claim(room).ok())
      node.rooms.insert(room);
  }
  // Freezes one room of another, to be given to it; says so if there is none.
  void Scan(const std::string& id) {
    Node& node = *nodes_.at(id);
    if (!node.frozen.empty()) return;
    const uint64_t generation = node.table.generation();
    for (const std::string& room : node.rooms) {
      const OwnerTable::Owner owner = node.table.OwnerOf(room);
      if (owner.kind != Kind::kOther) continue;
      gifts_.push_back({.room = room, .from = id, .to = owner.server.id});
      node.frozen.insert(room);
      node.rooms.erase(room);
      return;
    }
    node.table.SetSettled(generation);
  }
  // A room that is given, or the answer to that, arrives.
  void Give(size_t n) {
    if (gifts_.empty()) return;
    const auto at = gifts_.begin() + static_cast<std::ptrdiff_t>(n % gifts_.size());
    const auto to = nodes_.find(at->to);
    Node& from = *nodes_.at(at->from);
    if (to == nodes_.end()) {
      // It stays once it is known that nobody can be asked.
      if (from.table.MayBeReached(at->to)) return;
      from.rooms.insert(at->room);
    } else if (!std::exchange(at->arrived, true)) {
      Node& taker = *to->second;
      at->taken = !taker.frozen.contains(at->room) && !taker.table.StatusFor(at->from).draining &&
                  (taker.rooms.contains(at->room) || taker.table.MayTake(at->room).ok());
      if (at->taken) taker.rooms.insert(at->room);
      return;
    } else if (!at->taken) {
      from.rooms.insert(at->room);
    }
    from.frozen.erase(at->room);
    gifts_.erase(at);
  }

  // True if everybody knows everybody. Before, one that is not in the directory may be known to one server
  // alone.
  bool AllKnown() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [this](const auto& node) {
      return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& other) {
        return node.first == other.first || node.second->table.Knows(other.first);
      });
    });
  }
  bool Listed(const std::string& id) const { return directory_.contains(id); }
  std::vector<std::string> Alive() const {
    std::vector<std::string> ids;
    for (const auto& [id, node] : nodes_) ids.push_back(id);
    return ids;
  }
  // The rooms that are in two places. One that is frozen takes nothing, and is in none.
  std::set<std::string> Doubled() const {
    std::set<std::string> seen;
    std::set<std::string> doubled;
    for (const auto& [id, node] : nodes_) {
      for (const std::string& room : node->rooms) {
        if (!seen.insert(room).second) doubled.insert(room);
      }
    }
    return doubled;
  }
  // Where each room is.
  std::map<std::string, std::string> Places() const {
    std::map<std::string, std::string> places;
    for (const auto& [id, node] : nodes_) {
      for (const std::string& room : node->rooms) places[room] = id;
    }
    return places;
  }
  // Everybody reads, hears everything and gives away what is not its own, until nothing changes.
  void Rest() {
    for (const std::string& id : Alive()) Read(id);
    for (int round = 0; round < 250; ++round) {
      std::vector<std::pair<std::string, std::string>> ends;
      for (const auto& [pair, stream] : streams_) ends.push_back(pair);
      for (const auto& [from, to] : ends) Deliver(from, to);
      for (const std::string& id : Alive()) Scan(id);
      for (size_t i = 0; i < 2 * nodes_.size(); ++i) Give(i);
    }
  }

 private:
  struct Node {
    Node(const std::string& id, uint64_t incarnation) : table(id, incarnation) {}
    OwnerTable table;
    std::set<std::string> rooms;
    std::set<std::string> frozen;
  };
  struct Stream {
    std::deque<PeerStatus> messages;
    bool ended = false;
  };
  struct Gift {
    std::string room;
    std::string from;
    std::string to;
    bool arrived = false;
    bool taken = false;
  };

  // Opens the streams from those whom `id` knows, and has none from. One to a dead server ends at once.
  void Watch(const std::string& id) {
    for (size_t i = 0; i < 10; ++i) {
      const std::string from = Id(i);
      if (from == id || !nodes_.at(id)->table.Knows(from)) continue;
      const auto [at, fresh] = streams_.try_emplace({from, id});
      if (!fresh) continue;
      if (const auto node = nodes_.find(from); node != nodes_.end()) {
        at->second.messages.push_back(said_[{from, id}] = node->second->table.StatusFor(id));
      } else {
        at->second.ended = true;
      }
    }
  }
  void Tell(const std::string& id) {
    const auto node = nodes_.find(id);
    for (auto& [ends, stream] : streams_) {
      if (ends.first != id || stream.ended || node == nodes_.end()) continue;
      PeerStatus status = node->second->table.StatusFor(ends.second);
      PeerStatus& last = said_[ends];
      // Only news, so that this ends.
      if (last.incarnation == status.incarnation && last.term == status.term &&
          last.draining == status.draining && last.settled == status.settled &&
          last.heard_incarnation == status.heard_incarnation && last.heard_term == status.heard_term &&
          last.leaving.size() == status.leaving.size())
        continue;
      last = status;
      stream.messages.push_back(std::move(status));
    }
  }

  std::set<std::string> directory_;
  uint64_t incarnations_ = 0;
  std::map<std::string, std::unique_ptr<Node>> nodes_;
  std::map<std::pair<std::string, std::string>, Stream> streams_;  // By from and to.
  std::map<std::pair<std::string, std::string>, PeerStatus> said_;
  std::vector<Gift> gifts_;
};

TEST(OwnerTablePropertyTest, NoRoomIsEverInTwoPlaces) {
  size_t made = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
    Cluster cluster;
    for (size_t i = 0; i < 3; ++i) cluster.Start(Id(i));
    cluster.Rest();
    std::set<std::string> draining;
    for (int step = 0; step < 800; ++step) {
      const std::vector<std::string> alive = cluster.Alive();
      const std::string id = alive[below(alive.size())];
      const std::string other = alive[below(alive.size())];
      const size_t what = below(1000);
      std::string did;
      if (what < 8) {
        // A new one, or a restart. What it can not hear of by others: see ARCHITECTURE.md, "Ownership".
        const std::string fresh = Id(below(5));
        const bool runs = std::find(alive.begin(), alive.end(), fresh) != alive.end();
        if (runs || !cluster.AllKnown() ||
            !std::any_of(alive.begin(), alive.end(), [&](const auto& a) { return cluster.Listed(a); }))
          continue;
        did = "start " + fresh;
        draining.erase(fresh);
        cluster.Start(fresh);
      } else if (what < 12) {
        did = "drain " + id;
        draining.insert(id);
        cluster.Drain(id);
      } else if (what < 20) {
        did = "unlist " + id;
        cluster.Unlist(id);
      } else if (what < 30) {
        did = "list " + id;
        cluster.List(id);
      } else if (what < 36 && alive.size() > 1 && cluster.AllKnown()) {
        did = "kill " + id;
        cluster.Kill(id);
      } else if (what < 120) {
        did = "read " + id;
        cluster.Read(id);
      } else if (what < 500) {
        did = "deliver from " + id + " to " + other;
        cluster.Deliver(id, other);
      } else if (what < 700) {
        // Names that come again and again, so that everybody is asked for everything.
        const std::string name = fmt::format("room-{}", below(12));
        did = "ask " + id + " for " + name;
        cluster.Ask(id, name);
      } else if (what < 850) {
        did = "scan " + id;
        cluster.Scan(id);
      } else {
        did = "give";
        cluster.Give(below(10));
      }
      ASSERT_EQ(cluster.Doubled(), std::set<std::string>())
          << "seed " << seed << ", step " << step << ": " << did;
      if (what % 50 == 0) made += cluster.Places().size();
    }
    cluster.Rest();
    ASSERT_EQ(cluster.Doubled(), std::set<std::string>()) << "seed " << seed;
  }
  EXPECT_GT(made, 2'000u) << "too few rooms were made for this to say anything";
}

TEST(OwnerTablePropertyTest, EveryRoomCanBeHadOnceAllHasBeenHeard) {
  Cluster cluster;
  for (size_t i = 0; i < 4; ++i) cluster.Start(Id(i));
  cluster.Drain(Id(1));
  cluster.Unlist(Id(2));
  cluster.Rest();
  constexpr size_t kRooms = 100;
  for (size_t i = 0; i < kRooms; ++i) {
    for (const std::string& id : cluster.Alive()) cluster.Ask(id, fmt::format("room-{}", i));
  }
  EXPECT_EQ(cluster.Places().size(), kRooms);
  EXPECT_EQ(cluster.Doubled(), std::set<std::string>());
  for (const auto& [name, at] : cluster.Places()) {
    EXPECT_NE(at, Id(1)) << name;
    EXPECT_NE(at, Id(2)) << name;
  }
}

TEST(OwnerTablePropertyTest, AServerThatComesOrGoesMovesItsOwnShareOfTheRoomsAndNoOther) {
  constexpr size_t kRooms = 400;
  Cluster cluster;
  for (size_t i = 0; i < 4; ++i) cluster.Start(Id(i));
  cluster.Rest();
  for (size_t i = 0; i < kRooms; ++i) {
    for (const std::string& id : cluster.Alive()) cluster.Ask(id, fmt::format("room-{}", i));
  }
  const auto before = cluster.Places();
  ASSERT_EQ(before.size(), kRooms);

  cluster.Start(Id(4));
  cluster.Rest();
  const auto with = cluster.Places();
  ASSERT_EQ(with.size(), kRooms);
  size_t moved = 0;
  for (const auto& [room, at] : with) {
    if (at == before.at(room)) continue;
    ++moved;
    EXPECT_EQ(at, Id(4)) << room;
  }
  EXPECT_GT(moved, kRooms / 10);
  EXPECT_LT(moved, kRooms / 3);

  cluster.Drain(Id(4));
  cluster.Rest();
  EXPECT_EQ(cluster.Places(), before);
}

}  // namespace
}  // namespace hubbub::chat
