#include "gateway/gate_session.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::gate {
namespace {

using client::from_client::Ack;
using client::from_client::Handshake;
using client::from_client::Package;
using client::from_client::Request;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A gate's session on a connection without a socket, with one connector to name.
class GateSessionTest : public ::testing::Test {
 protected:
  GateSessionTest() {
    table_.Put({.id = "connector-1", .client_host = "example.org", .client_port = 3050, .reachable = true});
  }

  // The only answer to one package by a client of this type.
  std::string Answer(std::string_view type, const std::string& package) {
    std::string answer;
    client::OnLoop(loops_.at(0), [&] {
      client::FakeConnection connection;
      client::ClientSession session(
          1, loops_.at(0), connection, std::make_unique<client::PomeloProtocol>(pomelo_, /*framed=*/false),
          options_, [this](client::ClientSession& own) { return std::make_unique<GateSession>(desk_, own); });
      connection.protocol = &session;
      connection.Feed(Handshake(type) + Ack());
      connection.log.clear();
      connection.Feed(package);
      EXPECT_EQ(connection.log.size(), 1u) << ::testing::PrintToString(connection.log);
      if (!connection.log.empty()) answer = connection.log.front();
    });
    return answer;
  }

  const client::ClientContract contract_{/*use_dict=*/false, /*use_protobuf=*/true, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  const client::PomeloOptions pomelo_{.contract = &contract_, .pushes = &pushes_};
  const client::SessionOptions options_;
  EntryTable table_;
  EntryDesk desk_{table_};
  net::Loops loops_{1};
};

// Stock clients test for this code alone.
TEST_F(GateSessionTest, EveryBadQueryEntryIsAnsweredWith500) {
  std::string compressed;
  pomelo::AppendRequest(1, client::route::kQueryEntry, R"({"uid":"u"})", compressed);
  compressed[0] = static_cast<char>(compressed[0] | 0x10);
  const struct {
    std::string package, why;
  } cases[] = {
      {Request(1, client::route::kQueryEntry, "{}"), "uid is missing"},
      {Request(1, client::route::kQueryEntry, ""), "uid is missing"},
      {Request(1, client::route::kQueryEntry, R"({"uid":null})"), "uid must be a text or a number"},
      {Request(1, client::route::kQueryEntry, R"({"uid":true})"), "uid must be"},
      {Request(1, client::route::kQueryEntry, R"({"uid":{}})"), "uid must be"},
      {Request(1, client::route::kQueryEntry, R"({"uid":["u"]})"), "uid must be"},
      {Request(1, client::route::kQueryEntry, R"({"uid":""})"), "uid is empty"},
      {Request(1, client::route::kQueryEntry, R"({"uid":"*"})"), "uid is '*'"},
      {Request(1, client::route::kQueryEntry, R"({"uid":")" + std::string(65, 'x') + "\"}"),
       "uid has 65 bytes"},
      {Request(1, client::route::kQueryEntry, R"({"uid":"a\nb"})"), "control character"},
      {Request(1, client::route::kQueryEntry, "{\"uid\":\"\xff\"}"), "neither UTF-8 nor CESU-8"},
      {Request(1, client::route::kQueryEntry, R"({"uid":)"), "not valid JSON"},
      {Request(1, client::route::kQueryEntry, "null"), "not an object"},
      {Request(1, client::route::kQueryEntry, "[]"), "not an object"},
      {Request(1, client::route::kQueryEntry, "\"u\""), "not an object"},
      {Request(1, client::route::kQueryEntry, "\x0a\x05u"), "the body of 'gate.gateHandler.queryEntry'"},
      {Request(1, client::route::kQueryEntry, std::string("\x0a\x00", 2)), ""},
      {Package(pomelo::PackageType::kData, compressed), "compressed"},
  };
  for (const auto& c : cases) {
    for (const char* type : {"", "js-websocket", "unity-socket"}) {
      const std::string answer = Answer(type, c.package);
      EXPECT_THAT(answer, StartsWith(R"(response 1 {"code":500,"error":true,"message":")")) << type;
      EXPECT_THAT(answer, HasSubstr(c.why)) << type;
    }
  }
}

TEST_F(GateSessionTest, ANumberIsTheSameUserAsItsText) {
  const std::string named = R"(response 1 {"code":200,"host":"example.org","port":3050})";
  for (const char* uid : {"\"10001\"", "10001", "-1.5", "0", "18446744073709551615"}) {
    for (const char* type : {"", "js-websocket"}) {
      const std::string body = std::string("{\"uid\":") + uid + "}";
      EXPECT_EQ(Answer(type, Request(1, client::route::kQueryEntry, body)), named) << body;
    }
  }
}

TEST_F(GateSessionTest, OtherRoutesAreNotForAGate) {
  EXPECT_THAT(Answer("", Request(1, client::route::kEnter)), StartsWith(R"(response 1 {"code":404,)"));
  EXPECT_THAT(Answer("", Request(1, client::route::kEnter, "[]")), StartsWith(R"(response 1 {"code":400,)"));
}

TEST_F(GateSessionTest, SaysThatNoConnectorIsThere) {
  table_.SetUnreachable("connector-1");
  EXPECT_EQ(
      Answer("", Request(1, client::route::kQueryEntry, R"({"uid":"u"})")),
      R"(response 1 {"code":500,"error":true,"message":"no connector can be reached: try again soon"})");
}

}  // namespace
}  // namespace hubbub::gate
