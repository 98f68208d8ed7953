#include "services/directory/server_book.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/testing/test_log.h"

namespace hubbub::directory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Hosts = std::vector<std::string>;

Identity Chat(const std::string& id, const std::string& instance) {
  return {.kind = ServerKind::kChat, .id = id, .version = "1", .instance = instance};
}

class ServerBookTest : public ::testing::Test {
 protected:
  static ServerBook::Address At(const std::string& host) { return {ServerKind::kChat, host}; }
  // The chat servers as id@address.
  std::vector<std::string> Chats() {
    std::vector<std::string> chats;
    for (const ServerInfo& server : book_.List().chats)
      chats.push_back(server.id + "@" + server.grpc_address());
    return chats;
  }
  void Dns(Hosts hosts, int64_t now_ms = 1'000) {
    book_.Resolved(ServerKind::kChat, std::move(hosts), now_ms);
  }

  testing::TestLog log_;
  ServerBook book_{{.kind = ServerKind::kChat, .id = "self", .host = "me", .port = 7},
                   Chat("self", "run-of-self"),
                   {{ServerKind::kChat, {"chat.test", 7}}, {ServerKind::kConnector, {"connector.test", 8}}}};
};

TEST_F(ServerBookTest, HasItselfBeforeAnybodyElse) {
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  EXPECT_THAT(book_.addresses(), IsEmpty());
}

TEST_F(ServerBookTest, AnAddressIsAServerOnceItHasSaidWho) {
  Dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_THAT(book_.addresses(), ElementsAre(At("10.0.0.1"), At("10.0.0.2")));
  EXPECT_TRUE(book_.MustAsk(At("10.0.0.1")));
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  book_.Answered(At("10.0.0.2"), Chat("a", "1"));
  EXPECT_FALSE(book_.MustAsk(At("10.0.0.2")));
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.2:7", "self@me:7"));
  Dns({"10.0.0.1"});
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  book_.Answered(At("10.0.0.2"), Chat("a", "1"));
  EXPECT_THAT(Chats(), ElementsAre("self@me:7")) << "an answer that comes too late";
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(ServerBookTest, FindsItselfInDnsAndIsThereOnce) {
  Dns({"10.0.0.1"});
  book_.Answered(At("10.0.0.1"), Chat("self", "run-of-self"));
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(ServerBookTest, WhatClientsAreToldIsWhatTheServerSays) {
  book_.Resolved(ServerKind::kConnector, Hosts{"10.0.0.1", "10.0.0.2"}, 1'000);
  Identity connector{.kind = ServerKind::kConnector, .id = "c1", .version = "1", .instance = "1"};
  connector.client_port = 3050;
  book_.Answered({ServerKind::kConnector, "10.0.0.1"}, connector);
  connector.id = "c2";
  connector.instance = "2";
  connector.client_host = "chat.example";
  book_.Answered({ServerKind::kConnector, "10.0.0.2"}, connector);
  const ServerList list = book_.List();
  ASSERT_EQ(list.connectors.size(), 2u);
  EXPECT_EQ(list.connectors[0].client_host, "10.0.0.1") << "its address, if it says nothing else";
  EXPECT_EQ(list.connectors[0].port, 8);
  EXPECT_EQ(list.connectors[1].client_host, "chat.example");
  EXPECT_EQ(list.connectors[1].client_port, 3050);
}

TEST_F(ServerBookTest, OfTwoThatClaimOneIdTheFirstStays) {
  Dns({"10.0.0.1", "10.0.0.2"});
  book_.Answered(At("10.0.0.2"), Chat("a", "2"));
  book_.Answered(At("10.0.0.1"), Chat("a", "1"));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.2:7", "self@me:7"));
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("10.0.0.2:7 and 10.0.0.1:7 both say that they are 'a'")));
  // The other one has the name as soon as the first does not answer.
  book_.Failed(At("10.0.0.2"), absl::UnavailableError("gone"));
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7"));
}

TEST_F(ServerBookTest, NobodyElseIsThisServer) {
  Dns({"10.0.0.1"});
  book_.Answered(At("10.0.0.1"), Chat("self", "another run"));
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("me:7, which is this server and 10.0.0.1:7 both say")));
}

TEST_F(ServerBookTest, OneServerWithTwoAddressesIsOneServer) {
  Dns({"10.0.0.1", "10.0.0.2"});
  book_.Answered(At("10.0.0.1"), Chat("a", "1"));
  book_.Answered(At("10.0.0.2"), Chat("a", "1"));
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7"));
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(ServerBookTest, AnAddressMayBecomeAnotherServer) {
  Dns({"10.0.0.1"});
  book_.Answered(At("10.0.0.1"), Chat("a", "1"));
  book_.Failed(At("10.0.0.1"), absl::UnavailableError("gone"));
  EXPECT_TRUE(book_.MustAsk(At("10.0.0.1")));
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7")) << "whether it works is for others to see";
  book_.Answered(At("10.0.0.1"), Chat("b", "2"));
  EXPECT_THAT(Chats(), ElementsAre("b@10.0.0.1:7", "self@me:7"));
}

TEST_F(ServerBookTest, ANameThatGoesEmptyLeavesThoseThatAnswer) {
  const absl::Status troubles[] = {absl::NotFoundError("none"), absl::UnavailableError("DNS is away"),
                                   absl::OkStatus()};
  for (const absl::Status& trouble : troubles) {
    Dns({"10.0.0.1", "10.0.0.2"});
    book_.Answered(At("10.0.0.1"), Chat("a", "1"));
    book_.Answered(At("10.0.0.2"), Chat("b", "2"));
    log_.Clear();
    for (int i = 0; i < 3; ++i) {
      book_.Resolved(ServerKind::kChat,
                     trouble.ok() ? absl::StatusOr<Hosts>(Hosts()) : absl::StatusOr<Hosts>(trouble), 1'000);
    }
    EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("chat.test does not resolve")));
    EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "b@10.0.0.2:7", "self@me:7"));
    EXPECT_TRUE(book_.MustAsk(At("10.0.0.1")));
    book_.Answered(At("10.0.0.1"), Chat("a", "1"));
    book_.Failed(At("10.0.0.2"), absl::UnavailableError("gone"));
    EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7"));
  }
}

TEST_F(ServerBookTest, ANameThatIsNotThereYetIsSaidOnce) {
  for (int i = 0; i < 3; ++i) book_.Resolved(ServerKind::kChat, absl::NotFoundError("no such name"), 1'000);
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("chat.test does not resolve: no such name; no server")));
  Dns({"10.0.0.1"});
  EXPECT_THAT(log_.lines().back(), HasSubstr("chat.test resolves now, to 1 address"));
}

TEST_F(ServerBookTest, AServerOfAnotherKindIsIgnored) {
  Dns({"10.0.0.1"});
  Identity gate{.kind = ServerKind::kGate, .id = "g", .version = "1", .instance = "1"};
  for (int i = 0; i < 2; ++i) book_.Answered(At("10.0.0.1"), gate);
  EXPECT_THAT(Chats(), ElementsAre("self@me:7"));
  EXPECT_TRUE(book_.List().gates.empty());
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("10.0.0.1:7 of chat.test is no chat but the gate 'g'")));
}

TEST_F(ServerBookTest, AnotherVersionIsListedWithAWarning) {
  Dns({"10.0.0.1"});
  Identity other = Chat("a", "1");
  other.version = "2";
  for (int i = 0; i < 2; ++i) book_.Answered(At("10.0.0.1"), other);
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7"));
  EXPECT_THAT(log_.lines(),
              ElementsAre(HasSubstr("chat 'a' at 10.0.0.1:7 has version 2, this server has 1")));
}

TEST_F(ServerBookTest, ANewcomerIsListedBeforeDnsShowsIt) {
  Dns({"10.0.0.1"});
  book_.Answered(At("10.0.0.1"), Chat("a", "1"));
  book_.Heard(At("10.0.0.2"), 1'000);
  EXPECT_THAT(book_.Newcomers(), ElementsAre(At("10.0.0.2")));
  // It may not listen yet.
  book_.Failed(At("10.0.0.2"), absl::UnavailableError("refused"));
  EXPECT_TRUE(book_.MustAsk(At("10.0.0.2")));
  book_.Answered(At("10.0.0.2"), Chat("b", "2"));
  // An answer of DNS that is old says nothing of it.
  Dns({"10.0.0.1"});
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "b@10.0.0.2:7", "self@me:7"));
  // Once DNS has shown it, DNS says whether it is there.
  Dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_THAT(book_.Newcomers(), IsEmpty());
  Dns({"10.0.0.1"});
  EXPECT_THAT(Chats(), ElementsAre("a@10.0.0.1:7", "self@me:7"));
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(ServerBookTest, ANewcomerThatDnsNeverShowsIsForgotten) {
  book_.Heard(At("10.0.0.2"), 1'000);
  book_.Answered(At("10.0.0.2"), Chat("b", "2"));
  book_.Heard(At("10.0.0.2"), 50'000);
  book_.Forget(1'000 + ServerBook::kHeardMs);
  EXPECT_THAT(Chats(), ElementsAre("b@10.0.0.2:7", "self@me:7"));
  book_.Forget(1'001 + ServerBook::kHeardMs);
  EXPECT_THAT(Chats(), ElementsAre("self@me:7")) << "however often others have spoken of it";
}

TEST_F(ServerBookTest, WhomDnsShowsNoMoreIsNoNewcomer) {
  Dns({"10.0.0.1", "10.0.0.2"}, 1'000);
  Dns({"10.0.0.1"}, 2'000);
  book_.Heard(At("10.0.0.2"), 2'000);
  EXPECT_THAT(book_.Newcomers(), IsEmpty());
  // Until its address may have become another server's.
  book_.Forget(2'001 + ServerBook::kHeardMs);
  book_.Heard(At("10.0.0.2"), 2'001 + ServerBook::kHeardMs);
  EXPECT_THAT(book_.Newcomers(), ElementsAre(At("10.0.0.2")));
}

TEST_F(ServerBookTest, WhoIsNoNewcomerStaysAsItIs) {
  Dns({"10.0.0.1"});
  book_.Heard(At("10.0.0.1"), 1'000);
  book_.Heard(At("me"), 1'000);
  book_.Heard({ServerKind::kGate, "10.0.0.3"}, 1'000);  // Gates have no Service here.
  EXPECT_THAT(book_.Newcomers(), IsEmpty());
  for (size_t i = 0; i <= ServerBook::kMostNewcomers; ++i)
    book_.Heard(At("10.1.0." + std::to_string(i)), 1'000);
  EXPECT_EQ(book_.Newcomers().size(), ServerBook::kMostNewcomers);
}

TEST_F(ServerBookTest, AnAddressThatDoesNotAnswerIsSaidOnce) {
  Dns({"10.0.0.1"});
  for (int i = 0; i < 2; ++i) book_.Failed(At("10.0.0.1"), absl::UnavailableError("refused"));
  EXPECT_THAT(log_.lines(),
              ElementsAre(HasSubstr("10.0.0.1:7 of chat.test does not say who it is (refused)")));
}

}  // namespace
}  // namespace hubbub::directory
