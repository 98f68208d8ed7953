#include "services/engine/control_packets.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::engine {
namespace {

using socketio::EngineType;
using socketio::EngineVersion;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using Verdict = ControlPackets::Verdict;

constexpr ControlPackets::Clock::time_point kStart{};

TEST(ControlPackets, JudgesEachTypeByTheProtocol) {
  constexpr auto k3 = EngineVersion::k3;
  constexpr auto k4 = EngineVersion::k4;
  const struct {
    EngineVersion version;
    EngineType type;
    Verdict verdict;
    const char* why;
  } cases[] = {
      {k3, EngineType::kPing, Verdict::kTake, ""},
      {k4, EngineType::kPing, Verdict::kRefuse, "protocol 4 are the server's"},
      {k3, EngineType::kPong, Verdict::kRefuse, "protocol 3 are the client's"},
      {k4, EngineType::kPong, Verdict::kTake, ""},
      {k3, EngineType::kClose, Verdict::kLeave, ""},
      {k4, EngineType::kClose, Verdict::kLeave, ""},
      {k4, EngineType::kOpen, Verdict::kRefuse, "cannot open"},
      {k4, EngineType::kUpgrade, Verdict::kRefuse, "without a probe"},
      {k4, EngineType::kNoop, Verdict::kTake, ""},
      {k4, EngineType::kMessage, Verdict::kTake, ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.version) * 10 + static_cast<int>(c.type));
    ControlPackets packets(c.version, kStart);
    const auto judgement = packets.Judge(c.type, 0, kStart);
    EXPECT_EQ(judgement.verdict, c.verdict);
    EXPECT_THAT(std::string(judgement.why), HasSubstr(c.why));
  }
}

TEST(ControlPackets, RefusesWhatCarriesMoreThanItHasToSay) {
  for (const EngineType type : {EngineType::kPing, EngineType::kNoop, EngineType::kMessage}) {
    ControlPackets packets(EngineVersion::k3, kStart);
    EXPECT_EQ(packets.Judge(type, 128, kStart).verdict, Verdict::kTake);
    EXPECT_EQ(packets.Judge(type, 129, kStart).verdict, Verdict::kRefuse);
    EXPECT_EQ(packets.Judge(EngineType::kClose, 129, kStart).verdict, Verdict::kLeave);
  }
}

TEST(ControlPackets, DropsWhatIsTooMuchAndTellsAFlood) {
  const struct {
    milliseconds every;
    int tries;
    Verdict last;
  } cases[] = {
      {milliseconds(0), 20, Verdict::kTake},       {milliseconds(0), 21, Verdict::kDrop},
      {milliseconds(0), 120, Verdict::kDrop},      {milliseconds(0), 121, Verdict::kFlood},
      {milliseconds(100), 10'000, Verdict::kTake},  // As many as may come for ever.
      {milliseconds(20), 10'000, Verdict::kDrop},   // Too many, but no flood.
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.tries);
    ControlPackets packets(EngineVersion::k3, kStart);
    Verdict last = Verdict::kTake;
    bool flooded = false;
    for (int i = 0; i < c.tries; ++i) {
      last = packets.Judge(EngineType::kNoop, 0, kStart + i * c.every).verdict;
      flooded = flooded || last == Verdict::kFlood;
    }
    EXPECT_EQ(flooded, c.last == Verdict::kFlood);
    if (c.every == milliseconds(0)) {
      EXPECT_EQ(last, c.last);
    }
  }
}

TEST(ControlPackets, ACloseIsNeverTooMuch) {
  ControlPackets packets(EngineVersion::k4, kStart);
  for (int i = 0; i < 110; ++i) packets.Judge(EngineType::kNoop, 0, kStart);
  EXPECT_EQ(packets.Judge(EngineType::kClose, 0, kStart).verdict, Verdict::kLeave);
}

}  // namespace
}  // namespace hubbub::engine
