#pragma once

#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "services/client/client_protocol.h"
#include "services/client/session_budget.h"

namespace hubbub::client {

// The body of a request that `protocol` has taken. If it is compressed, it is inflated as far as the budget
// reaches, which pays for what it holds beyond what came, also for what was inflated in vain. REQUIRES:
// request.route.ok(). INVALID_ARGUMENT: a sentence for the client that says what is wrong with the body.
// RESOURCE_EXHAUSTED: a sentence, too; the budget has counted it as refused.
absl::StatusOr<boost::json::object> ReadBodyWithin(SessionBudget& budget, const ClientProtocol& protocol,
                                                   Request request, SessionBudget::Clock::time_point now);

}  // namespace hubbub::client
