#include "services/engine/control_packets.h"

namespace hubbub::engine {

using socketio::EngineType;
using socketio::EngineVersion;

ControlPackets::Judgement ControlPackets::Judge(EngineType type, size_t bytes, Clock::time_point now) {
  if (type == EngineType::kClose) return {Verdict::kLeave};
  if (bytes > kMostBytes)
    return {Verdict::kRefuse, "a packet that is no message has more than 128 bytes of data"};
  if (!limit_.Take(now)) {
    limit_.Refuse(now);
    if (!limit_.flooded()) return {Verdict::kDrop};
    return {Verdict::kFlood, "you send far more than a client may: slow down"};
  }
  switch (type) {
    case EngineType::kPing:
      if (version_ == EngineVersion::k4)
        return {Verdict::kRefuse, "the pings of protocol 4 are the server's"};
      break;
    case EngineType::kPong:
      if (version_ == EngineVersion::k3)
        return {Verdict::kRefuse, "the pings of protocol 3 are the client's"};
      break;
    case EngineType::kOpen:
      return {Verdict::kRefuse, "a client cannot open what is open"};
    case EngineType::kUpgrade:
      return {Verdict::kRefuse, "an upgrade came without a probe"};
    case EngineType::kClose:
    case EngineType::kMessage:
    case EngineType::kNoop:
      break;
  }
  return {Verdict::kTake};
}

}  // namespace hubbub::engine
