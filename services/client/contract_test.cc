#include "services/client/contract.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/body.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::client {
namespace {

namespace json = boost::json;
using pomelo::HandshakeRequest;
using std::chrono::seconds;

HandshakeRequest ClientOf(std::string type) {
  HandshakeRequest request;
  request.has_sys = true;
  request.type = std::move(type);
  return request;
}

// What the server offers to this client.
json::object SysFor(const ClientContract& contract, const HandshakeRequest& request) {
  const json::value answer = json::parse(contract.Accept(request, contract.FormatOf(request)));
  return answer.at("sys").as_object();
}

TEST(ClientContract, KnowsHowEachClientWantsItsBodies) {
  const ClientContract contract(true, true, seconds(3));
  const ClientContract without(true, /*use_protobuf=*/false, seconds(3));
  const struct {
    std::string type;
    WireFormat format;
  } cases[] = {
      {"js-websocket", WireFormat::kProtobufCesu8},
      {"unity-socket", WireFormat::kProtobufUtf8},
      {"c", WireFormat::kProtobufUtf8},
      {"desktop", WireFormat::kProtobufUtf8},
      {"hubbub-web", WireFormat::kJson},
      {"", WireFormat::kJson},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(contract.FormatOf(ClientOf(c.type)), c.format) << c.type;
    EXPECT_EQ(without.FormatOf(ClientOf(c.type)), WireFormat::kJson) << c.type;
  }
}

TEST(ClientContract, OffersProtosOnlyToThoseWhoUseThem) {
  const ClientContract contract(true, true, seconds(3));
  const json::object js = SysFor(contract, ClientOf("js-websocket"));
  EXPECT_EQ(js.at("useProto"), true);
  EXPECT_EQ(js.at("useDict"), true);
  EXPECT_EQ(js.at("heartbeat"), 3);
  EXPECT_TRUE(js.at("protos").at("server").as_object().contains("onChat"));
  // Both halves are there, but requests are JSON.
  EXPECT_EQ(js.at("protos").at("client"), json::object());

  const json::object web = SysFor(contract, ClientOf("hubbub-web"));
  EXPECT_FALSE(web.contains("useProto"));
  EXPECT_FALSE(web.contains("protos"));
  EXPECT_EQ(web.at("heartbeat"), 3);
}

TEST(ClientContract, LeavesOutWhatTheClientHas) {
  const ClientContract contract(true, true, seconds(3));
  HandshakeRequest request = ClientOf("desktop");
  const json::object first = SysFor(contract, request);
  request.dict_version = first.at("dictVersion").as_string();
  request.proto_version = first.at("protos").at("version").as_string();
  const json::object second = SysFor(contract, request);
  for (const char* key : {"dict", "routeToCode", "codeToRoute", "dictVersion", "protos"}) {
    EXPECT_TRUE(first.contains(key)) << key;
    EXPECT_FALSE(second.contains(key)) << key;
  }
  EXPECT_EQ(second.at("useDict"), true);
  EXPECT_EQ(second.at("useProto"), true);
}

// The stock JavaScript client keeps one set of protos for both, under the version that it saw last.
TEST(ClientContract, GateAndConnectorOfferTheSameProtos) {
  const ClientContract connector(/*use_dict=*/true, true, seconds(3));
  const ClientContract gate(/*use_dict=*/false, true, std::nullopt);
  const json::object from_connector = SysFor(connector, ClientOf("js-websocket"));
  const json::object from_gate = SysFor(gate, ClientOf("js-websocket"));
  EXPECT_EQ(from_gate.at("protos"), from_connector.at("protos"));
  EXPECT_FALSE(from_gate.contains("useDict"));
  EXPECT_FALSE(from_gate.contains("heartbeat"));
}

// One that has kept the schemas of before is given those of now, and may write as before until it has read
// them.
TEST(ClientContract, ReplacesTheSchemasOfRequestsThatWereOfferedOnce) {
  const ClientContract contract(true, true, seconds(3));
  const pomelo::ServerHandshake former(
      {.server_protos = &contract.server_protos(), .client_protos = &contract.former_client_protos()});
  HandshakeRequest request = ClientOf("js-websocket");
  request.proto_version = former.protos_version();
  const json::object sys = SysFor(contract, request);
  EXPECT_EQ(sys.at("protos").at("client"), json::object());
  EXPECT_NE(sys.at("protos").at("version").as_string(), json::string_view(former.protos_version()));
}

TEST(ClientContract, ReadsBodiesInJsonAndInTheProtobufOfBefore) {
  const ClientContract contract(true, true, seconds(3));
  const std::string mark = "\xef\xbb\xbf";
  const struct {
    std::string_view route;
    std::string body;
    std::string read;  // By a client of protobuf; empty if not at all.
    bool json;         // Other clients may say the same.
  } cases[] = {
      {route::kLeave, R"({"rid":7})", R"({"rid":7})", true},
      {route::kLeave, "", "{}", true},
      {route::kLeave, "{}", "{}", true},
      {route::kLeave, " {\"rid\":\"a\"}", R"({"rid":"a"})", true},
      {route::kLeave, "\n\n{\"rid\":\"lobby\"}", R"({"rid":"lobby"})", true},
      {route::kLeave, "\n {\"rid\":\"a name of 32 bytes here 0\"}", R"({"rid":"a name of 32 bytes here 0"})",
       true},
      {route::kLeave, "\t\r\n{\"rid\":\"lobby\"}\r\n", R"({"rid":"lobby"})", true},
      {route::kLeave, mark + "{\"rid\":\"a\"}", R"({"rid":"a"})", true},
      {route::kLeave, mark + "\n{\"rid\":\"a\"}", R"({"rid":"a"})", true},
      {route::kLeave,
       "\x0a\x01"
       "a",
       R"({"rid":"a"})", false},
      {route::kLeave, std::string("\x0a\x00", 2), R"({"rid":""})", false},
      // Names that look like JSON, of 13, 10 and 32 bytes: their lengths are white space.
      {route::kLeave, "\x0a\x0d{\"rid\":\"abc\"]", R"({"rid":"{\"rid\":\"abc\"]"})", false},
      {route::kLeave, "\x0a\x0a{234567890", R"({"rid":"{234567890"})", false},
      {route::kLeave, "\x0a {2345678901234567890123456789012",
       R"({"rid":"{2345678901234567890123456789012"})", false},
      // The order of fields is the client's.
      {route::kSend, "\x22\x01*\x0a\x01r\x12\x02hi", R"({"target":"*","rid":"r","content":"hi"})", false},
      {route::kEnter, "\x0a\x01u\x12\x01r\x21" + std::string("\0\0\0\0\0\0\xf0\x3f", 8),
       R"({"username":"u","rid":"r","epoch":1E0})", false},
      {"chat.chatHandler.other",
       "\x0a\x01"
       "a",
       "", false},
      {route::kLeave,
       "\x0a\x05"
       "a",
       "", false},
      {route::kLeave, "[1]", "", false},
      {route::kLeave, "\"a\"", "", false},
      {route::kLeave, "null", "", false},
      {route::kLeave, "7", "", false},
      {route::kLeave, "{\"rid\":", "", false},
      {route::kLeave, "\n", "", false},
      {route::kLeave, " ", "", false},
      {route::kLeave, mark, "", false},
      {route::kLeave, "rid=a", "", false},
  };
  for (const auto& c : cases) {
    for (const WireFormat format :
         {WireFormat::kJson, WireFormat::kProtobufUtf8, WireFormat::kProtobufCesu8}) {
      SCOPED_TRACE(pomelo::ToHex(c.body));
      const auto body = contract.ReadBody(format, c.route, c.body);
      const bool readable = !c.read.empty() && (c.json || format != WireFormat::kJson);
      ASSERT_EQ(body.ok(), readable) << body.status();
      if (readable) {
        EXPECT_EQ(json::serialize(*body), c.read);
      } else {
        EXPECT_EQ(body.status().code(), absl::StatusCode::kInvalidArgument);
      }
    }
  }
}

TEST(ClientContract, SaysWhatIsWrongWithABodyForWhoMeantJson) {
  const ClientContract contract(true, true, seconds(3));
  const auto why = [&](std::string_view body) {
    return std::string(contract.ReadBody(WireFormat::kProtobufUtf8, route::kLeave, body).status().message());
  };
  EXPECT_THAT(why("{\"rid\":"), ::testing::StartsWith("a body is not valid JSON: "));
  EXPECT_THAT(why("{\"rid\":"), Not(::testing::HasSubstr("protobuf")));
  EXPECT_THAT(why("[1]"), ::testing::StartsWith("a body is JSON, but not an object; nor is it protobuf"));
}

TEST(ClientContract, TheDictionaryIsTheStockOneWithLeaveAndRefresh) {
  const ClientContract contract(true, true, seconds(3));
  ASSERT_NE(contract.dictionary(), nullptr);
  EXPECT_EQ(pomelo::JsonBody(contract.dictionary()->RouteToCode()),
            R"({"chat.chatHandler.send":1,"connector.entryHandler.enter":2,)"
            R"("connector.entryHandler.leave":3,"connector.entryHandler.refresh":4,)"
            R"("gate.gateHandler.queryEntry":5})");
  EXPECT_EQ(ClientContract(false, true, seconds(3)).dictionary(), nullptr);
}

// The push in a package, as a client of this format reads it.
struct ReadPush {
  std::string route;
  std::string raw;
  json::object body;
};
ReadPush Read(const ClientContract& contract, WireFormat format, std::string_view bytes) {
  ReadPush push;
  const auto package = pomelo::DecodePackage(bytes, pomelo::kMaxPackageBody);
  EXPECT_TRUE(package.ok() && package->has_value());
  EXPECT_EQ((*package)->size, bytes.size());
  EXPECT_EQ((*package)->package.type, pomelo::PackageType::kData);
  const auto message = pomelo::DecodeMessage((*package)->package.body);
  EXPECT_TRUE(message.ok());
  EXPECT_EQ(message->type, pomelo::MessageType::kPush);
  push.route = std::string(std::get<std::string_view>(message->route));
  push.raw = std::string(message->body);
  const bool json = format == WireFormat::kJson || !contract.server_protos().Has(push.route);
  const auto body = json ? pomelo::ParseJsonBody(message->body)
                         : contract.server_protos().Decode(push.route, message->body);
  EXPECT_TRUE(body.ok()) << body.status();
  if (body.ok()) push.body = *body;
  return push;
}

TEST(ClientContract, PushesReadBackAsTheyWereInEachFormat) {
  const ClientContract contract(true, true, seconds(3));
  const json::object chat{
      {"route", "onChat"}, {"msg", "\xf0\x9f\x98\x82 \xc3\xa9"}, {"from", "ann"}, {"target", "*"},
      {"rid", "lobby"},    {"offset", 4503599627370497},         {"epoch", 7},    {"time", 1700000000000}};
  const struct {
    WireFormat format;
    std::string text;  // Of the message, as it stands in the bytes.
  } cases[] = {
      {WireFormat::kJson, "\\ud83d\\ude02"},
      {WireFormat::kProtobufUtf8, "\xf0\x9f\x98\x82"},
      {WireFormat::kProtobufCesu8, "\xed\xa0\xbd\xed\xb8\x82"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.format));
    std::string out;
    contract.AppendPush(c.format, route::kOnChat, ObjectBody(chat), out);
    const ReadPush push = Read(contract, c.format, out);
    EXPECT_EQ(push.route, "onChat");
    EXPECT_THAT(push.raw, ::testing::HasSubstr(c.text));
    json::object expected = chat;
    // The schema has no such field: the message's own head names its route.
    if (c.format != WireFormat::kJson) expected.erase("route");
    EXPECT_TRUE(pomelo::SameJson(push.body, expected)) << json::serialize(push.body);

    // Routes without a schema are JSON for all.
    out.clear();
    contract.AppendPush(c.format, route::kOnAdd, ObjectBody(json::object{{"user", "bob"}}), out);
    EXPECT_EQ(Read(contract, c.format, out).raw, R"({"user":"bob"})");
  }
}

TEST(ClientContract, PushesAreAppended) {
  const ClientContract contract(true, true, seconds(3));
  std::string both;
  contract.AppendPush(WireFormat::kJson, "onOne", ObjectBody(json::object{{"n", 1}}), both);
  const size_t first = both.size();
  contract.AppendPush(WireFormat::kJson, "onTwo", ObjectBody(json::object{{"n", 2}}), both);
  EXPECT_EQ(Read(contract, WireFormat::kJson, std::string_view(both).substr(0, first)).route, "onOne");
  EXPECT_EQ(Read(contract, WireFormat::kJson, std::string_view(both).substr(first)).route, "onTwo");
}

TEST(ClientContract, APushThatItsSchemaRefusesLeavesTheBytesAsTheyWere) {
  const ClientContract contract(true, true, seconds(3));
  std::string out = "before";
  contract.AppendPush(WireFormat::kProtobufUtf8, route::kOnChat,
                      ObjectBody(json::object{{"msg", "no sender"}}), out);
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace hubbub::client
