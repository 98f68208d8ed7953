#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/rooms/event.h"
#include "chat/rooms/subscriber.h"
#include "fmt/format.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// How an event reads in a test: "joined ann@1", "ann to bob: hi@4", "replaced ann/7".
inline std::string ToText(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kJoined:
      return fmt::format("joined {}@{}", event.user, event.offset);
    case Event::Kind::kLeft:
      return fmt::format("left {}@{}", event.user, event.offset);
    case Event::Kind::kMessage:
      return fmt::format("{} to {}: {}@{}", event.user, event.target, event.content, event.offset);
    case Event::Kind::kReplaced:
      return fmt::format("replaced {}/{}", event.user, event.session);
    case Event::Kind::kMoved:
      return fmt::format("moved to {}", event.target);
  }
  return {};
}

// A connector of a test: keeps what it is told. Thread-safe.
class FakeSubscriber final : public Subscriber {
 public:
  explicit FakeSubscriber(uint64_t lease) : FakeSubscriber(lease, fmt::format("connector-{}", lease)) {}
  FakeSubscriber(uint64_t lease, std::string connector) : lease_(lease), connector_(std::move(connector)) {}

  uint64_t lease() const override { return lease_; }
  const std::string& connector() const override { return connector_; }
  bool ended() const override { return ended_; }
  void Push(EventPtr event, Gather*) override {
    MutexLock lock(mu_);
    events_.push_back(std::move(event));
  }

  std::optional<std::chrono::milliseconds> unheard_for() const override {
    return unheard_ms_ < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(unheard_ms_));
  }

  void End() { ended_ = true; }
  // As if its stream had broken so long ago.
  void Break(int64_t ms) { unheard_ms_ = ms; }

  // What has been pushed since the last call.
  std::vector<EventPtr> Take() {
    MutexLock lock(mu_);
    return std::exchange(events_, {});
  }
  std::vector<std::string> TakeTexts() {
    std::vector<std::string> texts;
    for (const EventPtr& event : Take()) texts.push_back(ToText(*event));
    return texts;
  }

 private:
  const uint64_t lease_;
  const std::string connector_;
  std::atomic<bool> ended_ = false;
  std::atomic<int64_t> unheard_ms_ = -1;
  Mutex mu_;
  std::vector<EventPtr> events_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
