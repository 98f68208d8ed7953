#include "services/client/request_body.h"

#include <algorithm>
#include <cstddef>

namespace hubbub::client {

absl::StatusOr<boost::json::object> ReadBodyWithin(SessionBudget& budget, const ClientProtocol& protocol,
                                                   Request request, SessionBudget::Clock::time_point now) {
  if (!request.compressed) return protocol.ReadBody(request);
  const size_t came = request.body.size();
  const auto [text, made] = protocol.Inflate(request, came + budget.SpareBytes(now));
  budget.TakeSpare(made - std::min(made, came), now);
  if (absl::IsResourceExhausted(text.status()))
    return absl::ResourceExhaustedError(budget.RefuseSpare(came, now));
  if (!text.ok()) return text.status();
  request.body = *text;
  request.compressed = false;
  return protocol.ReadBody(request);
}

}  // namespace hubbub::client
