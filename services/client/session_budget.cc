#include "services/client/session_budget.h"

#include <algorithm>

#include "fmt/format.h"

namespace hubbub::client {

namespace {

// Refusals within a second that are no flood, however low the limit is: clients in the field repeat
// themselves.
constexpr int kLeastFlood = 100;
constexpr double kFloodOfBytes = 4;

}  // namespace

SessionBudget::SessionBudget(int packages_per_second, int bytes_per_second, Clock::time_point now)
    : packages_(packages_per_second, std::max(packages_per_second, kLeastFlood), now),
      bytes_(bytes_per_second, kFloodOfBytes * bytes_per_second, now) {}

std::string SessionBudget::Take(size_t bytes, Clock::time_point now) {
  const auto amount = static_cast<double>(bytes);
  const bool packages_fit = packages_.Take(now);
  if (packages_fit && bytes_.Take(now, amount)) return {};
  Refuse(bytes, now);
  if (packages_fit) return TooManyBytes();
  return fmt::format("more than {} requests a second: slow down", packages_.per_second());
}

std::string SessionBudget::RefuseSpare(size_t bytes, Clock::time_point now) {
  Refuse(bytes, now);
  return TooManyBytes();
}

void SessionBudget::Refuse(size_t bytes, Clock::time_point now) {
  packages_.Refuse(now);
  bytes_.Refuse(now, static_cast<double>(bytes));
}

std::string SessionBudget::TooManyBytes() const {
  return fmt::format("more than {} bytes a second: slow down", bytes_.per_second());
}

}  // namespace hubbub::client
