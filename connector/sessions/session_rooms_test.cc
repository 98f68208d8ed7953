#include "connector/sessions/session_rooms.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connector/chat_servers/chat_links.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// What a client was told of its rooms, each as "lobby 7/3 by token", or "(hidden)".
using Told = std::vector<std::vector<std::string>>;

// Pomelo, by which this client wants to know its rooms.
class RoomsProtocol final : public client::ClientProtocol {
 public:
  RoomsProtocol(const client::PomeloOptions& options, bool wants, Told& told)
      : pomelo_(options, /*framed=*/false), wants_(wants), told_(told) {}

  bool WantsRooms() const override { return wants_; }
  void AppendRooms(const std::vector<client::RoomOfClient>& rooms, std::string&) override {
    std::vector<std::string>& told = told_.emplace_back();
    for (const auto& room : rooms)
      told.push_back(fmt::format("{} {}/{} by {}", room.name, room.epoch, room.offset, room.token));
  }
  void HideRooms() override { told_.push_back({"(hidden)"}); }

  client::ProtocolKind kind() const override { return pomelo_.kind(); }
  client::Taken Take(std::string_view bytes, bool frame_end, std::string& out) override {
    return pomelo_.Take(bytes, frame_end, out);
  }
  absl::StatusOr<boost::json::object> ReadBody(const client::Request& request) const override {
    return pomelo_.ReadBody(request);
  }
  void AppendAccept(std::string& out) override { pomelo_.AppendAccept(out); }
  void AppendRefusal(std::string& out) const override { pomelo_.AppendRefusal(out); }
  void AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) override {
    pomelo_.AppendAnswer(id, body, out);
  }
  void AppendError(std::string_view id, int code, std::string_view message, std::string& out) override {
    pomelo_.AppendError(id, code, message, out);
  }
  void AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const override {
    pomelo_.AppendKick(reason, why, out);
  }
  const client::PushEncoding& push_encoding() const override { return pomelo_.push_encoding(); }
  std::optional<client::Heartbeat> heartbeat() const override { return pomelo_.heartbeat(); }
  void AppendHeartbeat(std::string& out) const override { pomelo_.AppendHeartbeat(out); }
  size_t max_package_bytes() const override { return pomelo_.max_package_bytes(); }

 private:
  client::PomeloProtocol pomelo_;
  const bool wants_;
  Told& told_;
};

class NoServers final : public ChatServers {
 public:
  using ChatServers::ChatServers;
  void TakeBack(const std::string& server, const chat::v1::KickRequest& place) override {
    taken_back.push_back(
        fmt::format("{}: {}{}", server, place.room(), place.keep_name() ? ", name kept" : ""));
  }

  std::vector<std::string> taken_back;
};

class SessionRoomsTest : public ::testing::Test {
 protected:
  SessionRoomsTest() {
    options_.contract = &contract_;
    options_.pushes = &pushes_;
  }
  // On the loop, with the rooms of one session.
  void Run(const std::function<void(SessionRooms&)>& test, bool wants_rooms = true) {
    client::OnLoop(loops_.at(0), [&] {
      client::FakeConnection connection;
      client::FakeHandler::Script script;
      client::ClientSession session(
          1, loops_.at(0), connection, std::make_unique<RoomsProtocol>(options_, wants_rooms, told_),
          session_options_,
          [&](client::ClientSession&) { return std::make_unique<client::FakeHandler>(script, connection); });
      connection.protocol = &session;
      connection.Feed(client::from_client::Handshake());
      connection.Feed(client::from_client::Ack());
      connection_ = &connection;
      session_ = &session;
      SessionRooms rooms(session, local_rooms_);
      test(rooms);
      for (const std::string& room : rooms.Names()) rooms.Forget(room);
      EXPECT_EQ(local_rooms_.places(), 0u);
    });
  }
  Membership& Enter(SessionRooms& rooms, const std::string& room) {
    const auto place = std::make_shared<Membership>(
        Membership::Who{.room = room, .user = "ann", .token = "token"}, *session_, nullptr);
    place->Asked({.server = "chat-1", .lease = 5, .incarnation = 1});
    rooms.Add(place);
    return *place;
  }
  Membership& Enter(SessionRooms& rooms, const std::string& room, uint64_t offset) {
    Membership& place = Enter(rooms, room);
    local_rooms_.Joined(place, {.epoch = 7, .offset = offset});
    return place;
  }

  net::Loops loops_{1};
  const client::ClientContract contract_{false, false, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  client::PomeloOptions options_;
  const client::SessionOptions session_options_;
  LocalRooms local_rooms_{loops_.at(0)};
  ChatLinks no_links_{loops_, {}, {}};
  NoServers servers_{no_links_, loops_.at(0)};
  Partings partings_{local_rooms_, servers_};
  client::FakeConnection* connection_ = nullptr;  // Those of Run.
  client::ClientSession* session_ = nullptr;
  Told told_;
};

TEST_F(SessionRoomsTest, AreThoseThatWereAddedAndNotForgotten) {
  Run([&](SessionRooms& rooms) {
    EXPECT_TRUE(rooms.empty());
    EXPECT_EQ(rooms.Find("lobby"), nullptr);
    Enter(rooms, "lobby");
    Enter(rooms, "attic");
    EXPECT_EQ(rooms.size(), 2u);
    EXPECT_EQ(local_rooms_.places(), 2u);
    EXPECT_THAT(rooms.Names(), UnorderedElementsAre("lobby", "attic"));
    const std::shared_ptr<Membership> lobby = rooms.Find("lobby")->membership;
    rooms.Forget("lobby");
    EXPECT_TRUE(lobby->left());
    EXPECT_FALSE(rooms.Has("lobby"));
    EXPECT_TRUE(rooms.Has("attic"));
    EXPECT_EQ(local_rooms_.places(), 1u);
  });
}

TEST_F(SessionRoomsTest, AreShownToClientsThatWantThem) {
  Run([&](SessionRooms& rooms) {
    Enter(rooms, "attic");
    Membership& lobby = Enter(rooms, "lobby", 3);
    rooms.Show();
    EXPECT_THAT(told_, ElementsAre(ElementsAre("lobby 7/3 by token"))) << "not where it only enters";
    told_.clear();
    rooms.ShowFrom({.epoch = 8, .offset = 2}, lobby);
    EXPECT_THAT(told_, ElementsAre(ElementsAre("lobby 8/2 by token")));
  });
  told_.clear();
  Run(
      [&](SessionRooms& rooms) {
        rooms.ShowFrom({.epoch = 8, .offset = 2}, Enter(rooms, "lobby", 3));
        rooms.TellGaps();
        EXPECT_EQ(rooms.Find("lobby")->membership->seen().epoch, 8u);
        EXPECT_THAT(told_, IsEmpty());
      },
      /*wants_rooms=*/false);
}

TEST_F(SessionRoomsTest, AreHiddenWhileTheClientDoesNotKnowOfAGap) {
  Run([&](SessionRooms& rooms) {
    Membership& lobby = Enter(rooms, "lobby", 3);
    lobby.BeginGap();
    lobby.SawOffset(5);
    connection_->behind = true;
    rooms.Show();
    EXPECT_THAT(told_, ElementsAre(ElementsAre("lobby 7/5 by "), ElementsAre("(hidden)")));
    told_.clear();
    connection_->stalled = true;
    rooms.TellGaps();
    EXPECT_THAT(told_, IsEmpty()) << "it cannot be told yet";
    connection_->stalled = connection_->behind = false;
    rooms.TellGaps();
    EXPECT_THAT(told_, ElementsAre(ElementsAre("lobby 7/5 by token")));
    rooms.TellGaps();
    EXPECT_EQ(told_.size(), 1u) << "once";
  });
}

TEST_F(SessionRoomsTest, ArePartedFromAtTheEnd) {
  const struct {
    bool keep_name, take_back;
    const char* taken_back;
  } cases[] = {
      {false, true, "chat-1: lobby"},
      {true, true, "chat-1: lobby, name kept"},
      {true, false, nullptr},
  };
  for (const auto& c : cases) {
    servers_.taken_back.clear();
    Run([&](SessionRooms& rooms) {
      Enter(rooms, "lobby", 3);
      rooms.Part(partings_, c.keep_name, /*wait_ms=*/100, c.take_back);
      EXPECT_TRUE(rooms.empty());
      if (c.taken_back == nullptr) {
        EXPECT_THAT(servers_.taken_back, IsEmpty());
      } else {
        EXPECT_THAT(servers_.taken_back, ElementsAre(c.taken_back));
      }
    });
  }
}

}  // namespace
}  // namespace hubbub::connector
