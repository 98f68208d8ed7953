#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connector/chat_servers/restorer.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {

// What tests of Restorer share: chat servers that do what the test says, and a connector in front of them.

inline constexpr uint64_t kEpoch = 7;

// Chat servers that do what the test says. Loop-only.
class ScriptedServers final : public ChatServers {
 public:
  struct Call {
    std::string server;
    chat::v1::RestoreRequest request;
    RestoreDone done;
  };

  using ChatServers::ChatServers;

  uint64_t LeaseOf(const std::string& server) const override {
    const auto at = leases.find(server);
    return at == leases.end() ? 0 : at->second;
  }
  uint64_t IncarnationOf(const std::string& server) const override {
    const auto at = incarnations.find(server);
    return at == incarnations.end() ? 0 : at->second;
  }
  std::string BestFor(const std::string&) const override { return LeaseOf(best) == 0 ? std::string() : best; }
  std::vector<std::string> Up() const override {
    std::vector<std::string> up;
    for (const auto& [server, lease] : leases) up.push_back(server);
    return up;
  }
  void Restore(const std::string& server, const chat::v1::RestoreRequest& request,
               RestoreDone done) override {
    calls.push_back({server, request, std::move(done)});
  }
  void TakeBack(const std::string& server, const chat::v1::KickRequest& place) override {
    kicks.push_back(fmt::format("{}: {} of {} by {}/{}", server, place.user(), place.room(), place.lease(),
                                place.session()));
  }
  void Later(int tries, std::function<void()> then) override {
    pauses.push_back(tries);
    later.push_back(std::move(then));
  }

  std::map<std::string, uint64_t> leases;  // Of those that can be reached.
  std::map<std::string, uint64_t> incarnations;
  std::string best = "chat-2";
  std::vector<Call> calls;  // Not answered yet.
  std::vector<std::string> kicks;
  std::vector<std::function<void()>> later;
  std::vector<int> pauses;  // Before which tries.
};

// "chat-2: chat-1/1 lobby(ann,bob)": who is told of the loss of which run, and which places are to be
// restored. "chat-2: moved lobby(ann)" for rooms that were given away.
inline std::string ToText(const ScriptedServers::Call& call) {
  std::vector<std::string> rooms;
  for (const auto& room : call.request.rooms()) {
    std::string users;
    for (const auto& place : room.places()) users += (users.empty() ? "" : ",") + place.user();
    rooms.push_back(fmt::format(" {}({})", room.room(), users));
  }
  std::sort(rooms.begin(), rooms.end());
  const auto& request = call.request;
  std::string text = call.server + ": " +
                     (request.lost_server().empty()
                          ? std::string("moved")
                          : fmt::format("{}/{}", request.lost_server(), request.lost_incarnation()));
  for (const std::string& room : rooms) text += room;
  return text;
}

// A connector with chat-1, chat-2 and chat-3; rooms are at chat-1, and chat-2 is the best for what is lost.
// A server's lease is ten times its number, its incarnation 1.
class RestorerTest : public ::testing::Test {
 protected:
  // A user in one room. As ChatSession does, it leaves when it is told of its end.
  struct Guest {
    Guest(RestorerTest& test, const std::string& user, const std::string& room, uint64_t id)
        : rooms(test.rooms_), session(rooms.loop(), test.options_, id) {
      session.connection.Feed(client::from_client::Handshake(""));
      session.connection.Feed(client::from_client::Ack());
      session.connection.log.clear();
      place = std::make_shared<Membership>(
          Membership::Who{.room = room, .user = user, .token = "token of " + user}, *session,
          [this](Membership&, Membership::End) { Leave(); });
    }
    ~Guest() { Leave(); }
    void Leave() {
      if (place->left()) return;
      place->Leave();
      rooms.Erase(*place);
    }

    LocalRooms& rooms;
    client::FakeSession session;
    std::shared_ptr<Membership> place;
  };

  RestorerTest() {
    options_.contract = &contract_;
    options_.pushes = &pushes_;
    encoder_.Use(pushes_.Of(client::WireFormat::kJson, net::Framing::kNone));
    for (const char* server : {"chat-1", "chat-2", "chat-3"}) Up(server);
    EXPECT_THAT(Calls(), ::testing::ElementsAre("chat-1: chat-1/0", "chat-2: chat-2/0", "chat-3: chat-3/0"))
        << "each may wait to hear that nothing was held there";
    AnswerAll();
  }
  ~RestorerTest() override {
    Do([&] { guests_.clear(); });
  }

  // On the loop, with all that follows.
  void Do(const std::function<void()>& action) {
    client::OnLoop(loops_.at(0), action);
    for (int i = 0; i < 5; ++i) client::OnLoop(loops_.at(0), [] {});
  }
  void Up(const std::string& server, uint64_t incarnation = 1, uint64_t lease = 0, bool fresh = true) {
    Do([&] {
      servers_.leases[server] = lease != 0 ? lease : 10 * static_cast<uint64_t>(server.back() - '0');
      servers_.incarnations[server] = incarnation;
      restorer_.OnUp(server, incarnation, fresh);
    });
  }
  void Lose(const std::string& server) {
    Do([&] {
      servers_.leases.erase(server);
      restorer_.OnLost(server);
    });
  }
  Guest& Enter(const std::string& user, const std::string& room = "lobby", uint64_t offset = 0,
               const std::string& server = "chat-1") {
    Do([&] {
      guests_.push_back(std::make_unique<Guest>(*this, user, room, guests_.size() + 1));
      Membership& membership = *guests_.back()->place;
      membership.Asked({.server = server,
                        .lease = servers_.LeaseOf(server),
                        .incarnation = servers_.IncarnationOf(server)});
      rooms_.Insert(membership);
      rooms_.Joined(membership, {kEpoch, offset});
    });
    return *guests_.back();
  }
  // As the answer to an Add into the lobby says.
  void Show(const std::vector<std::string>& users, size_t total) {
    google::protobuf::RepeatedPtrField<std::string> names;
    for (const std::string& user : users) *names.Add() = user;
    rooms_.ShowUsers("lobby", names, total);
  }
  // An event of the lobby that comes from `source`.
  void Deliver(const std::string& source, const std::function<void(chat::v1::Event&)>& fill) {
    Do([&] {
      google::protobuf::RepeatedPtrField<chat::v1::Event> events;
      chat::v1::Event& event = *events.Add();
      event.set_room("lobby");
      event.set_epoch(kEpoch);
      fill(event);
      rooms_.Deliver(std::make_shared<const Deliveries>(encoder_.Encode(events, source)));
    });
  }
  void Say(const std::string& source, uint64_t offset) {
    Deliver(source, [&](chat::v1::Event& event) {
      event.set_offset(offset);
      event.mutable_message()->set_target("*");
    });
  }
  void Move(const std::string& from, const std::string& to) {
    Deliver(from, [&](chat::v1::Event& event) { event.mutable_moved()->set_server(to); });
  }

  std::vector<std::string> Calls() const {
    std::vector<std::string> texts;
    for (const auto& call : servers_.calls) texts.push_back(ToText(call));
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  // The calls that are under way to one server, oldest first.
  ScriptedServers::Call Take(const std::string& server) {
    const auto at = std::find_if(servers_.calls.begin(), servers_.calls.end(),
                                 [&](const auto& call) { return call.server == server; });
    if (at == servers_.calls.end()) {
      ADD_FAILURE() << "nothing is asked of " << server;
      return {.server = server, .request = {}, .done = [](const auto&, const auto&) {}};
    }
    ScriptedServers::Call call = std::move(*at);
    servers_.calls.erase(at);
    return call;
  }
  // As a server that has all places, but for what `change` says.
  void Answer(const std::string& server, const std::function<void(chat::v1::RestoredRoom&)>& change = {}) {
    const ScriptedServers::Call call = Take(server);
    chat::v1::RestoreResponse response;
    for (int i = 0; i < call.request.rooms_size(); ++i) {
      chat::v1::RestoredRoom& room = *response.add_rooms();
      room.set_outcome(chat::v1::RESTORE_OUTCOME_RESTORED);
      room.set_epoch(kEpoch);
      room.set_offset(call.request.rooms(i).offset());
      room.set_recovered(true);
      if (change) change(room);
    }
    Do([&] { call.done(absl::OkStatus(), response); });
  }
  void Fail(const std::string& server, const absl::Status& status = absl::UnavailableError("broken")) {
    const ScriptedServers::Call call = Take(server);
    Do([&] { call.done(status, {}); });
  }
  void AnswerAll() {
    while (!servers_.calls.empty()) Answer(servers_.calls.front().server);
  }
  // Those that tell of a loss alone.
  void AnswerLoss() {
    for (const char* server : {"chat-1", "chat-2", "chat-3"}) {
      const auto at = std::find_if(servers_.calls.begin(), servers_.calls.end(), [&](const auto& call) {
        return call.server == server && call.request.rooms().empty();
      });
      if (at == servers_.calls.end()) continue;
      std::iter_swap(at, servers_.calls.begin());
      Answer(server);
    }
  }
  void RunLater() {
    Do([&] {
      for (const auto& then : std::exchange(servers_.later, {})) then();
    });
  }
  static std::string At(const Guest& guest) {
    const Membership& m = *guest.place;
    return fmt::format("{}{} by {}", m.joined() ? "" : "not yet ", m.at().server, m.at().lease);
  }

  const client::ClientContract contract_{true, true, std::chrono::seconds(3)};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  client::PomeloOptions options_;
  Encoder encoder_{encodings_};
  net::Loops loops_{1};
  LocalRooms rooms_{loops_.at(0)};
  ChatLinks no_links_{loops_, {}, {}};
  ScriptedServers servers_{no_links_, loops_.at(0)};
  Restorer restorer_{{.part = 2, .parts = 4}, rooms_, encoder_, servers_};
  std::vector<std::unique_ptr<Guest>> guests_;
};

}  // namespace hubbub::connector
