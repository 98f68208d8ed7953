#include "services/pomelo/pitaya.h"

#include <string>

#include "boost/json.hpp"
#include "gtest/gtest.h"
#include "services/pomelo/body.h"
#include "services/pomelo/deflate.h"
#include "services/pomelo/handshake.h"
#include "services/pomelo/package.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

constexpr char kError = 0x20;
constexpr char kCompressed = 0x10;

// One package of the vectors, decoded as far as packages go.
struct Recorded {
  explicit Recorded(const json::value& vector)
      : from(StringMember(vector, "from")),
        bytes(HexMember(vector, "bytes")),
        package((*DecodePackage(bytes, kMaxPackageBody))->package),
        read(vector.as_object().if_contains("message")),
        text(read != nullptr                          ? StringMember(*read, "body")
             : vector.as_object().if_contains("text") ? StringMember(vector, "text")
                                                      : "") {}
  Recorded(const Recorded&) = delete;

  bool From(std::string_view who, PackageType type) const { return from == who && package.type == type; }

  std::string_view from;
  std::string bytes;
  Package package;
  const json::value* read;  // What Pitaya reads in a message, or null.
  std::string_view text;    // What Pitaya reads in the body of a message or handshake.
};

template <typename Check>
void ForAllRecorded(Check check) {
  for (const json::value& session : PitayaSessions()) {
    for (const json::value& vector : session.at("packages").as_array()) {
      SCOPED_TRACE(json::serialize(vector));
      check(Recorded(vector), session.at("compression").as_bool());
    }
  }
}

// A message of the server as its client sees it.
struct Received {
  bool error;
  Message message;
  std::string body;
};

Received Receive(std::string& bytes) {
  Received received = {(bytes[0] & kError) != 0, {}, {}};
  bytes[0] &= ~kError;  // A flag of servers: DecodeMessage, which reads what clients send, refuses it.
  received.message = *DecodeMessage(bytes);
  received.body = received.message.compressed ? *Inflate(received.message.body, 1 << 20)
                                              : std::string(received.message.body);
  return received;
}

TEST(PitayaTest, ReadsWhatPitayasClientSends) {
  int handshakes = 0;
  int messages = 0;
  ForAllRecorded([&](const Recorded& recorded, bool /*compression*/) {
    if (recorded.From("client", PackageType::kHandshake)) {
      EXPECT_TRUE(ParseHandshakeRequest(recorded.package.body).pitaya);
      ++handshakes;
    }
    if (!recorded.From("client", PackageType::kData)) return;
    const Message message = *DecodeMessage(recorded.package.body);
    EXPECT_EQ(message.type == MessageType::kRequest, StringMember(*recorded.read, "type") == "Request");
    EXPECT_EQ(message.id.number(), recorded.read->at("id").to_number<uint64_t>());
    EXPECT_EQ(message.body, recorded.text);
    ++messages;
  });
  EXPECT_EQ(handshakes, 2);
  EXPECT_EQ(messages, 26);
}

TEST(PitayaTest, AnswersHandshakesAsPitayaDoes) {
  const Dictionary dictionary =
      *Dictionary::Make({"connector.entryHandler.enter", "connector.entryHandler.send"});
  const PitayaHandshake handshake(std::chrono::seconds(1), &dictionary);
  int answers = 0;
  ForAllRecorded([&](const Recorded& recorded, bool compression) {
    if (!recorded.From("server", PackageType::kHandshake)) return;
    ++answers;
    if (compression) {
      EXPECT_EQ(*Inflate(recorded.package.body, 1000), recorded.text);
    }
    EXPECT_TRUE(SameJson(json::parse(handshake.Accept()), json::parse(recorded.text)));
  });
  EXPECT_EQ(answers, 2);
  json::value refusal = json::parse(handshake.Accept());
  refusal.as_object()["code"] = 400;
  EXPECT_EQ(json::parse(handshake.Refuse()), refusal);
}

TEST(PitayaTest, CompressesAHandshakeThatGetsSmallerByIt) {
  std::vector<std::string> routes;
  for (int i = 0; i < 20; ++i) routes.push_back("connector.entryHandler.method" + std::to_string(i));
  const Dictionary dictionary = *Dictionary::Make(std::move(routes));
  const PitayaHandshake handshake(std::chrono::seconds(30), &dictionary);
  for (const std::string* body : {&handshake.Accept(), &handshake.Refuse()}) {
    EXPECT_EQ(body->substr(0, 2), "\x78\x9c");
    EXPECT_EQ(json::parse(*Inflate(*body, 10'000)).at("sys").at("dict"), dictionary.RouteToCode());
  }
}

TEST(PitayaTest, OffersAnEmptyDictionaryAndAlwaysAHeartbeat) {
  EXPECT_EQ(PitayaHandshake(std::chrono::seconds(30), nullptr).Accept(),
            R"({"code":200,"sys":{"dict":{},"heartbeat":30,"serializer":"json"}})");
  EXPECT_THROW(PitayaHandshake(std::chrono::seconds(0), nullptr), std::invalid_argument);
}

TEST(PitayaTest, AppendsMessagesAsPitayaDoes) {
  int messages = 0;
  int errors = 0;
  int compressed = 0;
  ForAllRecorded([&](const Recorded& recorded, bool compression) {
    if (!recorded.From("server", PackageType::kData)) return;
    ++messages;
    const MessageId id(recorded.read->at("id").to_number<uint64_t>());
    const bool error = recorded.read->at("error").as_bool();
    std::string ours = "before";
    if (StringMember(*recorded.read, "type") == "Push") {
      AppendPitayaPush(StringMember(*recorded.read, "route"), recorded.text, ours);
    } else if (error) {
      ++errors;
      AppendPitayaError(id, recorded.text, ours);
    } else {
      AppendPitayaResponse(id, recorded.text, ours);
    }
    ASSERT_EQ(ours.substr(0, 6), "before");
    ours.erase(0, 6);
    if (recorded.text.size() < kMinDeflateBytes && !compression) {
      EXPECT_EQ(ours, recorded.package.body);
    }

    // Pitaya compresses shorter bodies too; either way it is the same message.
    std::string theirs(recorded.package.body);
    const Received we = Receive(ours);
    const Received they = Receive(theirs);
    EXPECT_EQ(we.error, they.error);
    EXPECT_EQ(we.message.type, they.message.type);
    EXPECT_EQ(we.message.id, they.message.id);
    EXPECT_EQ(we.message.route, they.message.route);
    EXPECT_EQ(we.body, they.body);
    EXPECT_EQ(they.body, recorded.text);
    if (they.message.compressed) ++compressed;
  });
  EXPECT_EQ(messages, 30);
  EXPECT_EQ(errors, 14);
  EXPECT_GE(compressed, 2);
}

TEST(PitayaTest, CompressesALongBody) {
  const std::string body = R"({"msg":")" + std::string(1000, 'a') + "\"}";
  std::string out;
  AppendPitayaError(300, body, out);
  EXPECT_LT(out.size(), 60u);
  EXPECT_EQ(ToHex(out.substr(0, 5)), "34ac02789c");
  const Received received = Receive(out);
  EXPECT_TRUE(received.error);
  EXPECT_EQ(received.body, body);

  out.clear();
  AppendPitayaPush("onChat", body, out);
  EXPECT_EQ(out[0], static_cast<char>(kCompressed | 6));
  EXPECT_EQ(std::get<std::string_view>(Receive(out).message.route), "onChat");
}

TEST(PitayaTest, KicksAndBeatsAsPitayaDoes) {
  std::string kick;
  AppendPackage(PackageType::kKick, "", kick);
  int kicks = 0;
  ForAllRecorded([&](const Recorded& recorded, bool /*compression*/) {
    if (!recorded.From("server", PackageType::kKick)) return;
    ++kicks;
    EXPECT_EQ(recorded.bytes, kick);
  });
  EXPECT_EQ(kicks, 2);

  std::string heartbeat;
  AppendPackage(PackageType::kHeartbeat, "", heartbeat);
  for (const json::value& session : PitayaSessions()) {
    for (const char* who : {"client", "server"}) {
      EXPECT_EQ(HexMember(session.at("heartbeats"), who), heartbeat);
    }
  }
}

TEST(PitayaTest, NamesErrorsByPitayasCodes) {
  const struct {
    int code;
    const char* name;
  } cases[] = {{400, "PIT-400"}, {403, "PIT-403"}, {404, "PIT-404"}, {429, "PIT-429"},
               {499, "PIT-499"}, {500, "PIT-500"}, {503, "PIT-503"}, {599, "PIT-599"},
               {200, "PIT-000"}, {0, "PIT-000"},   {-1, "PIT-000"},  {600, "PIT-000"}};
  for (const auto& c : cases) {
    EXPECT_EQ(PitayaErrorBody(c.code, "no"), std::string(R"({"code":")") + c.name + R"(","msg":"no"})");
  }
  EXPECT_EQ(PitayaErrorBody(404, "'a\"b' is not here"), R"({"code":"PIT-404","msg":"'a\"b' is not here"})");
}

TEST(PitayaTest, KnowsTheFormOfRoutes) {
  for (const char* route : {"a.b", "a.b.c", "chatHandler.send", " a.b", "a.b c", "日本.b"}) {
    EXPECT_EQ(PitayaRouteError(route), std::nullopt) << route;
  }
  for (const char* route : {"", "a", "a.b.c.d", ".", "..", ".b", "a.", "a..c", "a. ", "a.\t.c", "a.b."}) {
    EXPECT_TRUE(PitayaRouteError(route)) << route;
  }
  ForAllRecorded([&](const Recorded& recorded, bool /*compression*/) {
    if (!recorded.From("client", PackageType::kData)) return;
    const std::string_view route = StringMember(*recorded.read, "route");
    const bool bad = route == "nonsense" || route == "connector..nonsense" || route == "a.b.c.d";
    EXPECT_EQ(PitayaRouteError(route).has_value(), bad);
  });
}

TEST(PitayaTest, CompletesARouteOfTwoParts) {
  const Dictionary dictionary = *Dictionary::Make({"chat.chatHandler.send", "connector.entryHandler.enter",
                                                   "area.bagHandler.open", "shop.bagHandler.open"});
  const struct {
    const char *route, *full;
  } cases[] = {
      {"chatHandler.send", "chat.chatHandler.send"},
      {"entryHandler.enter", "connector.entryHandler.enter"},
      {"chat.chatHandler.send", "chat.chatHandler.send"},
      {"bagHandler.open", "bagHandler.open"},
      {"Handler.send", "Handler.send"},
      {"chatHandler.nonsense", "chatHandler.nonsense"},
      {"send", "send"},
      {".send", ".send"},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(FullRoute(dictionary, c.route), c.full) << c.route;
}

}  // namespace
}  // namespace hubbub::pomelo
