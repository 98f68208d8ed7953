#pragma once

#include <functional>

#include "services/metrics/metrics.h"
#include "services/net/traffic.h"
#include "services/session/request_counters.h"

namespace hubbub {

// What every program with clients shows of them: bytes, queues, ends of connections, and answers by their
// code. Both functions are called at each scrape, from any thread.
void AddClientMetrics(Metrics& metrics, const std::function<net::Traffic()>& traffic,
                      const std::function<RequestCounts()>& requests);

}  // namespace hubbub
