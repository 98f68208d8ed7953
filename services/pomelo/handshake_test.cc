#include "services/pomelo/handshake.h"

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

json::object Parsed(const std::string& answer) {
  return json::parse(answer).as_object();
}

class HandshakeTest : public ::testing::Test {
 protected:
  const Dictionary dictionary_ = *Dictionary::Make({"connector.entryHandler.enter", "chat.chatHandler.send"});
  const Schema server_protos_ = *Schema::Parse(
      {{"onChat", {{"required string msg", 1}, {"required string from", 2}}}, {"onAdd", json::object()}});
  const Schema client_protos_ = *Schema::Parse({{"chat.chatHandler.send", {{"required string content", 1}}}});
  const HandshakeOptions all_ = {std::chrono::seconds(3), &dictionary_, &server_protos_, &client_protos_};
};

TEST_F(HandshakeTest, ReadsWhatStockClientsSend) {
  const struct {
    const char *body, *type, *version, *dict_version, *proto_version;
  } cases[] = {
      {R"({"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{}})",
       "js-websocket", "0.0.1", "", ""},
      {R"({"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":"p1"}})", "js-websocket",
       "0.0.1", "", "p1"},
      {R"({"sys":{"version":"0.3.0","type":"unity-socket"},"user":{}})", "unity-socket", "0.3.0", "", ""},
      {R"({"sys":{"type":"c","version":"0.3.4","protoVersion":""}})", "c", "0.3.4", "", ""},
      {R"({"sys":{"type":"desktop","version":"0.3.5","dictVersion":"d1","protoVersion":"p1"}})", "desktop",
       "0.3.5", "d1", "p1"},
      {R"({"sys":{"type":7,"dictVersion":12,"protoVersion":{}}})", "", "", "", ""},
  };
  for (const auto& c : cases) {
    const HandshakeRequest request = ParseHandshakeRequest(c.body);
    EXPECT_TRUE(request.has_sys) << c.body;
    EXPECT_EQ(request.type, c.type) << c.body;
    EXPECT_EQ(request.version, c.version) << c.body;
    EXPECT_EQ(request.dict_version, c.dict_version) << c.body;
    EXPECT_EQ(request.proto_version, c.proto_version) << c.body;
  }
}

TEST_F(HandshakeTest, KnowsPitayaClientsByTheirSys) {
  const struct {
    const char* sys;
    bool pitaya;
  } cases[] = {
      {R"({"platform":"mac","libVersion":"0.3.5-release","clientBuildNumber":"20","clientVersion":"2.1"})",
       true},
      {R"({"platform":"","libVersion":"","clientBuildNumber":"","clientVersion":""})", true},
      {R"({"platform":"ios"})", true},
      {R"({"libVersion":"1"})", true},
      {R"({"clientBuildNumber":20})", true},
      {R"({"clientVersion":"2.1"})", false},
      {R"({"type":"js-websocket","version":"0.0.1","rsa":{}})", false},
      {R"({"type":"desktop","version":"0.3.5","platform":"mac"})", false},
      {"{}", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ParseHandshakeRequest(fmt::format(R"({{"sys":{}}})", c.sys)).pitaya, c.pitaya) << c.sys;
  }
  EXPECT_FALSE(ParseHandshakeRequest("{}").pitaya);
}

TEST_F(HandshakeTest, HasNoSysInWhatCanNotBeRead) {
  for (const char* body :
       {"", "{", "[]", "\xff", "{}", R"({"sys":1})", R"({"sys":null})", R"({"user":{"a":1}})"}) {
    EXPECT_FALSE(ParseHandshakeRequest(body).has_sys) << body;
  }
}

TEST_F(HandshakeTest, PassesTheUserPartOn) {
  EXPECT_EQ(ParseHandshakeRequest(R"({"sys":{},"user":{"token":"t"}})").user, (json::value{{"token", "t"}}));
  EXPECT_TRUE(ParseHandshakeRequest(R"({"sys":{}})").user.is_null());
}

TEST_F(HandshakeTest, OffersNothingThatIsNotConfigured) {
  EXPECT_EQ(ServerHandshake({}).Accept({}), R"({"code":200,"sys":{}})");
  EXPECT_EQ(ServerHandshake({.heartbeat = std::chrono::seconds(30)}).Accept({}),
            R"({"code":200,"sys":{"heartbeat":30}})");
}

TEST_F(HandshakeTest, OffersAllToAClientThatHasNothing) {
  const ServerHandshake handshake(all_);
  const json::object answer = Parsed(handshake.Accept({}));
  EXPECT_EQ(answer.at("code"), 200);
  EXPECT_FALSE(answer.contains("user"));
  const json::object& sys = answer.at("sys").as_object();
  EXPECT_EQ(sys.size(), 8u);
  EXPECT_EQ(sys.at("heartbeat"), 3);
  EXPECT_EQ(sys.at("useDict"), true);
  EXPECT_EQ(sys.at("dict"), dictionary_.RouteToCode());
  EXPECT_EQ(sys.at("routeToCode"), dictionary_.RouteToCode());
  EXPECT_EQ(sys.at("codeToRoute"), dictionary_.CodeToRoute());
  EXPECT_EQ(sys.at("dictVersion"), json::string(dictionary_.version()));
  EXPECT_EQ(sys.at("useProto"), true);
  EXPECT_EQ(sys.at("protos"), (json::value{{"server", server_protos_.ToJson()},
                                           {"client", client_protos_.ToJson()},
                                           {"version", handshake.protos_version()}}));
}

TEST_F(HandshakeTest, LeavesOutWhatTheClientHas) {
  const ServerHandshake handshake(all_);
  HandshakeRequest request;
  request.dict_version = dictionary_.version();
  json::object sys = Parsed(handshake.Accept(request)).at("sys").as_object();
  for (const char* key : {"dict", "routeToCode", "codeToRoute", "dictVersion"})
    EXPECT_FALSE(sys.contains(key)) << key;
  EXPECT_EQ(sys.at("useDict"), true);
  EXPECT_TRUE(sys.contains("protos"));

  request.proto_version = handshake.protos_version();
  EXPECT_EQ(
      Parsed(handshake.Accept(request)),
      (json::object{{"code", 200}, {"sys", {{"heartbeat", 3}, {"useDict", true}, {"useProto", true}}}}));
}

TEST_F(HandshakeTest, AnswersBothHalvesOfTheProtosWhenOneIsGiven) {
  const ServerHandshake handshake({.server_protos = &server_protos_});
  EXPECT_EQ(Parsed(handshake.Accept({})).at("sys").at("protos").at("client"), json::object());
}

TEST_F(HandshakeTest, CarriesTheApplicationsAnswer) {
  const json::value user = {{"hello", "\xf0\x9f\x98\x82"}};
  EXPECT_EQ(ServerHandshake({}).Accept({}, &user),
            R"({"code":200,"sys":{},"user":{"hello":"\ud83d\ude02"}})");
}

TEST_F(HandshakeTest, RefusesWithACodeAlone) {
  EXPECT_EQ(ServerHandshake::Refuse(HandshakeCode::kFailed), R"({"code":500})");
  EXPECT_EQ(ServerHandshake::Refuse(HandshakeCode::kOldClient), R"({"code":501})");
}

TEST_F(HandshakeTest, NamesTheProtosByTheirContents) {
  const Schema reordered = *Schema::Parse(
      {{"onAdd", json::object()}, {"onChat", {{"required string from", 2}, {"required string msg", 1}}}});
  const Schema changed =
      *Schema::Parse({{"onChat", {{"required string msg", 1}, {"required string from", 3}}}});
  const std::string version = ServerHandshake({.server_protos = &server_protos_}).protos_version();
  // Clients store it: it must not change from one build to the next.
  EXPECT_EQ(version, "f8f2959f7ea1894f");
  EXPECT_EQ(ServerHandshake({.server_protos = &reordered}).protos_version(), version);
  EXPECT_EQ(ServerHandshake({.dictionary = &dictionary_, .server_protos = &server_protos_}).protos_version(),
            version);
  EXPECT_NE(ServerHandshake({.server_protos = &changed}).protos_version(), version);
  EXPECT_NE(ServerHandshake({.client_protos = &server_protos_}).protos_version(), version);
  EXPECT_EQ(ServerHandshake({.dictionary = &dictionary_}).protos_version(), "");
}

TEST_F(HandshakeTest, KnowsTheClientThatReadsCesu8) {
  HandshakeRequest request;
  EXPECT_EQ(TextEncodingOf(request), TextEncoding::kUtf8);
  request.type = "unity-socket";
  EXPECT_EQ(TextEncodingOf(request), TextEncoding::kUtf8);
  request.type = "js-websocket";
  EXPECT_EQ(TextEncodingOf(request), TextEncoding::kCesu8);
}

}  // namespace
}  // namespace hubbub::pomelo
