#include "bench/terms.h"

#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/contract.h"
#include "services/pomelo/handshake.h"
#include "services/pomelo/package.h"

namespace hubbub::bench {
namespace {

using ::testing::HasSubstr;

// What a server with this contract answers, read by the generator.
absl::StatusOr<Terms> Agree(const client::ClientContract& contract, std::string_view client) {
  const auto request = pomelo::ParseHandshakeRequest(HandshakeBody(client));
  return Terms::Parse(contract.Accept(request, contract.FormatOf(request)));
}

pomelo::Message Decode(std::string_view bytes) {
  const auto package = pomelo::DecodePackage(bytes, pomelo::kMaxPackageBody);
  return *pomelo::DecodeMessage((*package)->package.body);
}

// A server that offers schemas of requests, as Hubbub's own once were.
TEST(Terms, ABodyIsProtobufWhereTheServerOffersIt) {
  const client::ClientContract contract(true, true, std::chrono::seconds(3));
  const pomelo::ServerHandshake server({.heartbeat = std::chrono::seconds(3),
                                        .dictionary = contract.dictionary(),
                                        .client_protos = &contract.former_client_protos()});
  const auto terms =
      Terms::Parse(server.Accept(pomelo::ParseHandshakeRequest(HandshakeBody("js-websocket"))));
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_EQ(terms->heartbeat_ns(), 3'000'000'000);
  std::string bytes;
  terms->AppendRequest(300, client::route::kSend,
                       {{"rid", "r1"}, {"content", "hi"}, {"target", "*"}, {"more", "x"}}, bytes);
  const pomelo::Message message = Decode(bytes);
  EXPECT_EQ(message.id, 300u);
  EXPECT_EQ(message.route, pomelo::Route(*contract.dictionary()->CodeOf(client::route::kSend)));
  const auto body = contract.former_client_protos().Decode(client::route::kSend, message.body);
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(boost::json::serialize(*body), R"({"rid":"r1","content":"hi","target":"*"})");
}

TEST(Terms, ABodyIsJsonOtherwise) {
  const client::ClientContract contract(false, true, std::nullopt);
  for (const char* client : {"", "js-websocket"}) {
    const auto terms = Agree(contract, client);
    ASSERT_TRUE(terms.ok()) << terms.status();
    EXPECT_EQ(terms->heartbeat_ns(), 0);
    std::string bytes;
    terms->AppendRequest(1, client::route::kEnter, {{"username", "u"}, {"rid", "r"}}, bytes);
    const pomelo::Message message = Decode(bytes);
    EXPECT_EQ(message.route, pomelo::Route(client::route::kEnter));
    EXPECT_EQ(message.body, R"({"username":"u","rid":"r"})");
  }
}

TEST(Terms, ARouteIsKnownByItsNameAndByItsCode) {
  const auto terms = Terms::Parse(R"({"code":200,"sys":{"dict":{"onChat":7}}})");
  ASSERT_TRUE(terms.ok());
  EXPECT_TRUE(terms->Is(std::string_view("onChat"), "onChat"));
  EXPECT_TRUE(terms->Is(uint16_t{7}, "onChat"));
  EXPECT_FALSE(terms->Is(uint16_t{8}, "onChat"));
  EXPECT_FALSE(terms->Is(std::string_view("onAdd"), "onChat"));
}

TEST(Terms, ARefusalIsAnError) {
  EXPECT_THAT(std::string(Terms::Parse(R"({"code":501})").status().message()), HasSubstr("refused"));
  EXPECT_THAT(std::string(Terms::Parse("no JSON").status().message()), HasSubstr("no JSON object"));
}

}  // namespace
}  // namespace hubbub::bench
