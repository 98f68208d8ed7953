#include "services/net/loop.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "services/base/cores.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {

Loop::Loop(int index) : index_(index) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), ("loop-" + std::to_string(index_)).c_str());
    context_.run();
  });
}

Loop::~Loop() {
  Stop();
}

void Loop::AssertHere() const {
  if (IsHere()) return;
  spdlog::critical("a function of loop {} ran on another thread: this is a mistake in the program", index_);
  std::abort();
}

void Loop::Stop() {
  // Polls, because it happens once in a process's life; every hold has a deadline of its own.
  while (holds_ > 0 && !context_.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

Loops::Loops(int count) {
  if (count <= 0) count = std::max(1, UsableCores() / 2);
  for (int i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(i));
}

void Loops::Stop() {
  for (auto& loop : loops_) loop->Stop();
}

}  // namespace hubbub::net
