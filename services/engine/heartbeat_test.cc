#include "services/engine/heartbeat.h"

#include "gtest/gtest.h"

namespace hubbub::engine {
namespace {

using socketio::EngineVersion;
using std::chrono::milliseconds;
using Due = Heartbeat::Due;

TEST(Heartbeat, TellsWhatIsDue) {
  const net::Clock::time_point start{};
  const struct {
    const char* what;
    EngineVersion version;
    milliseconds heard;
    bool unread;
    milliseconds now;
    Due due;
  } cases[] = {
      {"not yet", EngineVersion::k4, milliseconds(0), false, milliseconds(99), Due::kNothing},
      {"a ping", EngineVersion::k4, milliseconds(0), false, milliseconds(100), Due::kPing},
      {"by protocol 3 the client pings", EngineVersion::k3, milliseconds(0), false, milliseconds(100),
       Due::kNothing},
      {"just in time", EngineVersion::k3, milliseconds(0), false, milliseconds(150), Due::kNothing},
      {"too late", EngineVersion::k3, milliseconds(0), false, milliseconds(151), Due::kEnd},
      {"too late for a ping", EngineVersion::k4, milliseconds(0), false, milliseconds(151), Due::kEnd},
      {"heard meanwhile", EngineVersion::k3, milliseconds(10), false, milliseconds(160), Due::kNothing},
      {"it is the server that is late", EngineVersion::k3, milliseconds(0), true, milliseconds(151),
       Due::kNothing},
      {"but not for ever", EngineVersion::k3, milliseconds(0), true, milliseconds(301), Due::kEnd},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Heartbeat heartbeat(c.version, milliseconds(100), milliseconds(50), start);
    if (c.heard > milliseconds(0)) heartbeat.Heard(start + c.heard);
    EXPECT_EQ(heartbeat.Look(start + c.now, [&] { return c.unread; }), c.due);
  }
}

TEST(Heartbeat, EachPingIsDueOnce) {
  const net::Clock::time_point start{};
  Heartbeat heartbeat(EngineVersion::k4, milliseconds(100), milliseconds(50), start);
  int pings = 0;
  for (milliseconds at{0}; at <= milliseconds(1'000); at += milliseconds(10)) {
    heartbeat.Heard(start + at);
    if (heartbeat.Look(start + at, [] { return false; }) == Due::kPing) ++pings;
  }
  EXPECT_EQ(pings, 10);
}

TEST(Heartbeat, TellsOnceThatTheClientWasHeard) {
  Heartbeat heartbeat(EngineVersion::k4, milliseconds(100), milliseconds(50), {});
  EXPECT_FALSE(heartbeat.TakeHeard());
  heartbeat.Heard({});
  EXPECT_TRUE(heartbeat.TakeHeard());
  EXPECT_FALSE(heartbeat.TakeHeard());
}

}  // namespace
}  // namespace hubbub::engine
