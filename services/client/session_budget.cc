#include "services/client/session_budget.h"

#include <algorithm>

#include "fmt/format.h"

namespace hubbub::client {

std::string SessionBudget::Take(size_t bytes, Clock::time_point now) {
  const bool packages_fit = packages_.Take(now);
  if (packages_fit && bytes_.Take(now, static_cast<double>(bytes))) return {};
  ++refused_packages_;
  refused_bytes_ += bytes;
  return packages_fit ? fmt::format("more than {} bytes a second: slow down", bytes_.per_second())
                      : fmt::format("more than {} requests a second: slow down", packages_.per_second());
}

bool SessionBudget::Flooded() const {
  return refused_packages_ > std::max(static_cast<size_t>(packages_.per_second()), kLeastFlood) ||
         refused_bytes_ > kFloodOfBytes * static_cast<size_t>(bytes_.per_second());
}

}  // namespace hubbub::client
