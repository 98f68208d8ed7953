#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/base/mutex.h"
#include "spdlog/sinks/base_sink.h"
#include "spdlog/spdlog.h"

namespace hubbub::testing {

// Catches what is logged while it lives, without time and level. Thread-safe.
class TestLog {
 public:
  explicit TestLog(spdlog::level::level_enum level = spdlog::level::info)
      : sink_(std::make_shared<Sink>()), before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", sink_);
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
  }
  ~TestLog() { spdlog::set_default_logger(before_); }

  std::vector<std::string> lines() const { return sink_->Lines(); }
  void Clear() { sink_->Clear(); }

 private:
  class Sink final : public spdlog::sinks::sink {
   public:
    void log(const spdlog::details::log_msg& message) override {
      MutexLock lock(mu_);
      lines_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
    std::vector<std::string> Lines() const {
      MutexLock lock(mu_);
      return lines_;
    }
    void Clear() {
      MutexLock lock(mu_);
      lines_.clear();
    }

   private:
    mutable Mutex mu_;
    std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
  };

  const std::shared_ptr<Sink> sink_;
  const std::shared_ptr<spdlog::logger> before_;
};

}  // namespace hubbub::testing
