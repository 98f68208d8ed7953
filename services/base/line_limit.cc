#include "services/base/line_limit.h"

#include <utility>

namespace hubbub {

std::optional<uint64_t> LineLimit::Admit(std::string_view source, Clock::time_point now) {
  MutexLock lock(mu_);
  std::string key(source);
  if (sources_.size() >= kSources && !sources_.contains(key)) key.clear();
  const auto [it, is_new] = sources_.try_emplace(std::move(key));
  Source& entry = it->second;
  if (is_new || now - entry.since >= kWindow) {
    entry.since = now;
    entry.lines = 0;
  }
  if (entry.lines >= kLines) {
    ++entry.left_out;
    return std::nullopt;
  }
  ++entry.lines;
  return std::exchange(entry.left_out, 0);
}

}  // namespace hubbub
