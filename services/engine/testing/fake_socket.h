#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/net/connection.h"
#include "services/net/frame.h"
#include "services/net/read_frames.h"
#include "services/net/testing/on_loop.h"

namespace hubbub::engine {

using net::OnLoop;

// A text message as it goes on the wire.
inline net::Payload FrameOf(std::string_view text) {
  std::string out;
  net::AppendFrame(net::Framing::kText, out, [&](std::string& to) { to += text; });
  return std::make_shared<const std::string>(std::move(out));
}

// A WebSocket that keeps what is done with it.
class FakeSocket final : public net::Connection {
 public:
  std::vector<std::string> log;
  bool stalled = false;
  bool said_goodbye = false;

  bool framed() const override { return true; }
  void Send(net::Payload payload) override {
    net::ForEachFrame(*payload, [this](std::string_view frame) { log.emplace_back(frame); });
  }
  void Pause() override { log.emplace_back("(pause)"); }
  void Resume() override { log.emplace_back("(resume)"); }
  void AllowMessages(size_t bytes) override { log.push_back("(allow " + std::to_string(bytes) + ")"); }
  void Close(net::CloseReason, std::string detail) override { log.push_back("(close " + detail + ")"); }
  bool Stalled() const override { return stalled; }
  bool Behind() const override { return stalled; }
  net::Clock::time_point Now() const override { return {}; }
  bool HasUnread() override { return true; }
  bool ShowsLife() override { return true; }
  bool SaidGoodbye() const override { return said_goodbye; }
  std::string_view peer() const override { return "a test"; }
};

}  // namespace hubbub::engine
