#pragma once

#include <functional>

#include "services/client/client_counters.h"
#include "services/metrics/metrics.h"
#include "services/net/traffic.h"

namespace hubbub::client {

// What every program with clients shows of them: bytes, queues, ends of connections, and by protocol the
// sessions that have begun and the answers by their code. Both functions are called at each scrape, from any
// thread.
void AddClientMetrics(metrics::Metrics& metrics, const std::function<net::Traffic()>& traffic,
                      const std::function<ClientCounts()>& counts);

}  // namespace hubbub::client
