#include "bench/dialect.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

using Kind = Dialect::Heard::Kind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Step {
  std::string text;
  Kind kind;
  std::string reply = {};
};

void Follow(Dialect& dialect, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    SCOPED_TRACE(step.text);
    std::string_view text = step.text;
    std::string reply;
    const Dialect::Heard heard = dialect.Hear(text, reply);
    EXPECT_EQ(heard.kind, step.kind);
    EXPECT_EQ(reply, step.reply);
    EXPECT_THAT(std::string(text), IsEmpty());
    if (heard.kind == Kind::kDelivery) {
      EXPECT_EQ(heard.body, step.text);
    }
  }
}

TEST(Dialect, SocketIoComesInTalksAndHears) {
  const auto dialect = MakeDialect(Protocol::kSocketIo, "ann", "lobby");
  EXPECT_THAT(dialect->Hello(), IsEmpty());
  Follow(*dialect, {{R"(0{"sid":"x","upgrades":[],"pingInterval":25000})", Kind::kNothing, "40"},
                    {R"(40{"sid":"y"})", Kind::kNothing, R"(420["enter",{"username":"ann","rid":"lobby"}])"},
                    {R"(42["onAdd",{"user":"bob"}])", Kind::kNothing},
                    {R"(430[{"users":["ann"]}])", Kind::kEntered},
                    {"2", Kind::kNothing, "3"}});
  EXPECT_EQ(dialect->Say("~0"), R"(421["send",{"rid":"lobby","content":"~0","target":"*"}])");
  EXPECT_EQ(dialect->Say("~1"), R"(422["send",{"rid":"lobby","content":"~1","target":"*"}])");
  Follow(*dialect, {{R"(431[{"offset":7}])", Kind::kAnswer},
                    {R"(42["onChat",{"msg":"~0"}])", Kind::kDelivery},
                    {"41", Kind::kRefused}});
  std::string_view refused = R"(432[{"code":429,"message":"slow down"}])";
  std::string reply;
  EXPECT_THAT(std::string(dialect->Hear(refused, reply).status.message()), HasSubstr("slow down"));
}

TEST(Dialect, CentrifugoComesInTalksAndHears) {
  const auto dialect = MakeDialect(Protocol::kCentrifugo, "ann", "lobby");
  EXPECT_EQ(dialect->Hello(), R"({"id":1,"connect":{"name":"ann"}})");
  Follow(*dialect, {{R"({"id":1,"connect":{"client":"c","ping":25,"pong":true}})", Kind::kNothing,
                     R"({"id":2,"subscribe":{"channel":"lobby"}})"},
                    {R"({"push":{"channel":"lobby","join":{"info":{"user":"bob"}}}})", Kind::kNothing},
                    {R"({"id":2,"subscribe":{}})", Kind::kEntered},
                    {"{}", Kind::kNothing, "{}"}});
  EXPECT_EQ(dialect->Say("~0"), R"({"id":3,"publish":{"channel":"lobby","data":{"from":"ann","msg":"~0"}}})");
  Follow(*dialect, {{R"({"id":3,"publish":{}})", Kind::kAnswer},
                    {R"({"push":{"channel":"lobby","pub":{"data":{"msg":"~0"}}}})", Kind::kDelivery}});
  std::string_view two = "{\"id\":4,\"error\":{\"code\":103}}\n{}";
  std::string reply;
  EXPECT_THAT(std::string(dialect->Hear(two, reply).status.message()), HasSubstr("103"));
  EXPECT_EQ(two, "{}") << "a frame may hold several";
}

}  // namespace
}  // namespace hubbub::bench
