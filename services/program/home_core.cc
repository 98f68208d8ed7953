#include "services/program/home_core.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hubbub::program {
namespace {

// Shares of a core's time. Between the first two of each a process stays as it is, so that it does not go to
// and fro.
constexpr double kNeedsMore = 0.8;
constexpr double kNeedsLess = 0.6;
constexpr double kDoesSomething = 0.1;
constexpr double kWaitsMuch = 0.2;
constexpr double kWaitsLittle = 0.05;
// So much idle time elsewhere is worth a move: the other core's load comes and goes, and a move costs caches.
constexpr double kMuchMoreIdle = 0.3;

}  // namespace

HomeCore::HomeCore(const Sample& first, unsigned seed) : random_(seed), last_(first) {}

bool HomeCore::Due(std::chrono::steady_clock::time_point now, Seconds used) {
  const Seconds passed = now - asked_at_;
  if (passed < kWindow) return false;
  const double share = (used - used_then_) / passed;
  asked_at_ = now;
  used_then_ = used;
  return core_ != kAnywhere || share >= kDoesSomething;
}

bool HomeCore::Update(const Sample& sample) {
  const Seconds passed = sample.at - last_.at;
  if (passed < kWindow) return false;
  if (passed > kLongAgo) {
    last_ = sample;
    return false;
  }
  std::map<int, double> idle;
  for (const auto& [core, now] : sample.idle) {
    const auto before = last_.idle.find(core);
    if (before != last_.idle.end()) idle[core] = (now - before->second) / passed;
  }
  const double used = (sample.used - last_.used) / passed;
  // The waiting time of a thread that ends is no longer in the sum.
  const double waited = std::max(0.0, (sample.waited - last_.waited) / passed);
  last_ = sample;
  return std::exchange(core_, Decide(used, waited, idle)) != core_;
}

int HomeCore::Decide(double used, double waited, const std::map<int, double>& idle) {
  if (idle.size() < 2) return kAnywhere;  // There is nothing to choose, or nothing is known.
  // Others that wait see the same: each core that is nearly as idle as the best will do.
  std::vector<int> best;
  double most = 0;
  for (const auto& [core, share] : idle) most = std::max(most, share);
  for (const auto& [core, share] : idle) {
    if (share + kMuchMoreIdle / 2 >= most) best.push_back(core);
  }
  const auto any_of_best = [&] {
    return best[std::uniform_int_distribution<size_t>(0, best.size() - 1)(random_)];
  };
  if (core_ == kAnywhere) return used <= kNeedsLess && waited >= kWaitsMuch ? any_of_best() : kAnywhere;
  if (waited < kWaitsLittle) return kAnywhere;
  const auto home = idle.find(core_);
  if (home == idle.end()) return any_of_best();  // It may not be used any more.
  if (most < home->second + kMuchMoreIdle) return core_;
  if (used >= kNeedsMore) return kAnywhere;
  // Half of those that wait here go.
  return std::bernoulli_distribution(0.5)(random_) ? any_of_best() : core_;
}

}  // namespace hubbub::program
